"""What the Python queues share: the jobs' record, processes that end, and the figures to compare.

A program of this folder runs a queue on one server and prints the figures of what is left there.
Nothing printed depends on time or on which worker was faster, so that the text for one server is
the text for any other, and `cargo xtask compat` compares the two.
"""

import collections
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time

import redis

JOBS = 10_000
WORKERS = 4
# Far above what a run takes; a worker that hangs must not hang the check.
PATIENCE_SECONDS = 240
# Ids that a library draws at random, or the number of a job.
VARIES = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|\b[0-9]+\b")
SIZES = {"list": "llen", "set": "scard", "hash": "hlen", "zset": "zcard", "stream": "xlen"}


@contextlib.contextmanager
def record():
    """A folder in which every process notes the jobs that it does: evidence beside the server's."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JOBS_RECORD"] = folder
        yield folder


@contextlib.contextmanager
def workers(commands):
    """Runs worker processes, ends them gently and fails when one does not end well."""
    # They import the jobs from this folder; what they have to say is no part of the figures.
    options = {"cwd": os.path.dirname(os.path.abspath(__file__)), "stdout": sys.stderr}
    processes = [subprocess.Popen([sys.executable, *command], **options) for command in commands]
    try:
        yield processes
        for process in processes:
            process.terminate()
        for process in processes:
            code = process.wait(PATIENCE_SECONDS)
            if code != 0:
                raise AssertionError(f"a worker ended with {code}")
    finally:
        for process in processes:
            process.kill()


def wait_until(condition, processes, what):
    """Returns when the condition holds; fails when time is up or a worker has gone."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not after {PATIENCE_SECONDS} seconds")
        if any(process.poll() is not None for process in processes):
            raise AssertionError(f"{what}: a worker ended before")
        time.sleep(0.1)


def check_record(folder, processes):
    """Every job was done exactly once, and by as many processes as there were."""
    done = collections.Counter()
    files = os.listdir(folder)
    for name in files:
        with open(os.path.join(folder, name)) as lines:
            done.update(int(line) for line in lines)
    more = sorted(number for number, times in done.items() if times > 1)
    missing = sorted(set(range(JOBS)) - set(done))
    if more or missing or len(done) != JOBS:
        raise AssertionError(f"done more than once: {more[:20]}; never done: {missing[:20]}")
    if len(files) != processes:
        raise AssertionError(f"{len(files)} of {processes} workers did anything")
    print(f"{JOBS} jobs, each done once, by {processes} workers")


def check_results(results):
    """The results are those of the jobs, in order."""
    for number, result in enumerate(results):
        if result != 2 * number:
            raise AssertionError(f"job {number} gave {result!r}")
    print(f"{len(results)} results")


def print_figures(r, unsized):
    """What is left: keys by pattern, type, number of elements and whether they expire.

    The size is left out where the pattern starts with `unsized`, since it depends on timing.
    """
    figures = collections.Counter()
    names = sorted(r.scan_iter(count=1_000))
    for start in range(0, len(names), 1_000):
        part = names[start:start + 1_000]
        pipe = r.pipeline(transaction=False)
        for name in part:
            pipe.type(name).pttl(name)
        replies = pipe.execute()
        kinds = [kind.decode() for kind in replies[::2]]
        for name, kind in zip(part, kinds):
            getattr(pipe, SIZES.get(kind, "exists"))(name)
        for name, kind, ttl, size in zip(part, kinds, replies[1::2], pipe.execute()):
            pattern = VARIES.sub("*", name.decode())
            of = "" if unsized and pattern.startswith(unsized) else f" of {size}"
            figures[f"{pattern} {kind}{of}{', expires' if ttl >= 0 else ''}"] += 1
    for figure, count in sorted(figures.items()):
        print(f"{count} {figure}")


def main(run, unsized=None):
    """Runs `run(url, connection)` on the server at the port given, before and after empty."""
    port = int(sys.argv[1])
    r = redis.Redis(port=port, socket_timeout=60)
    r.flushall()
    run(f"redis://127.0.0.1:{port}/0", r)
    print_figures(r, unsized)
    r.flushall()
