"""Celery with several workers, as it is configured by default: `python celery_queue.py PORT`.

It takes jobs with BRPOP in turns over several queues and keeps them in a hash and a sorted set
until they are done; a lock that is released by a script guards what it takes back, results arrive
over channels, and so do the workers' messages to each other.
"""

import os

import bench
from celery_app import app, double

WORKER = ["-m", "celery", "--app", "celery_app", "--quiet", "worker", "--concurrency", "2"]


def run(url, _):
    os.environ["QUEUE_URL"] = url
    app.conf.update(broker_url=url, result_backend=url)
    servers = bench.WORKERS // 2
    with bench.record() as folder:
        commands = [
            [*WORKER, "--loglevel", "error", "--hostname", f"worker{number}@%h"]
            for number in range(servers)
        ]
        with bench.workers(commands) as processes:
            def born():
                return len(app.control.ping(timeout=1)) == servers
            bench.wait_until(born, processes, "all workers answer")
            pending = [double.delay(number) for number in range(bench.JOBS)]
            results = [job.get(timeout=bench.PATIENCE_SECONDS) for job in pending]
        bench.check_record(folder, bench.WORKERS)
    bench.check_results(results)


if __name__ == "__main__":
    bench.main(run)
