"""The job of all queues: notes that it was done, and by whom, and has a result to be checked."""

import os


def double(number):
    with open(os.path.join(os.environ["JOBS_RECORD"], str(os.getpid())), "a") as record:
        record.write(f"{number}\n")
    return 2 * number
