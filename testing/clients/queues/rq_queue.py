"""RQ with several workers: `python rq_queue.py PORT`.

The workers are idle when the jobs come, so they wait in a blocking command. They execute jobs in
their own process, since a fork for each of 10,000 jobs would measure the machine. RQ needs neither
scripts nor channels for this: on a server without channels a worker complains that nobody can send
it commands, and works.
"""

import logging

from rq import Queue, SimpleWorker
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

import bench
import jobs

WORKER = ["-m", "rq.cli", "worker", "--worker-class", "rq.SimpleWorker", "--quiet"]


def run(url, r):
    queue = Queue("work", connection=r)
    finished, failed = FinishedJobRegistry(queue=queue), FailedJobRegistry(queue=queue)
    with bench.record() as folder:
        command = [*WORKER, "--url", url, "work"]
        with bench.workers([command] * bench.WORKERS) as processes:
            def born():
                return SimpleWorker.count(connection=r) == bench.WORKERS
            bench.wait_until(born, processes, "all workers are known")
            ids = [f"job-{number}" for number in range(bench.JOBS)]
            for start in range(0, bench.JOBS, 1_000):
                queue.enqueue_many([
                    Queue.prepare_data(jobs.double, (number,), job_id=ids[number])
                    for number in range(start, start + 1_000)
                ])
            def over():
                ended = finished.get_job_count(cleanup=False) + failed.get_job_count(cleanup=False)
                return ended == bench.JOBS
            bench.wait_until(over, processes, "all jobs are finished")
        bench.check_record(folder, bench.WORKERS)
    found = Job.fetch_many(ids, connection=r)
    bench.check_results([job.return_value() for job in found])
    states = {job.get_status(refresh=False).value for job in found}
    left = (queue.count, len(StartedJobRegistry(queue=queue)), len(failed))
    print(f"states {sorted(states)}; queued, started, failed: {left}")
    print(f"workers left: {SimpleWorker.count(connection=r)}")


logging.getLogger("rq").setLevel(logging.ERROR)
# A worker's last words have one field more when its heart beat late.
bench.main(run, unsized="rq:worker:")
