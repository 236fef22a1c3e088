"""The Celery application, as its workers import it; they are told the server by environment."""

import os

import jobs
from celery import Celery

url = os.environ.get("QUEUE_URL")
app = Celery("checks", broker=url, backend=url)
double = app.task(jobs.double, name="double")
