"""The cost of sweeps: two workers or one, the overhead of a point, a thousand points."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from experiments.benchmarks.timing import Measurement
from experiments.interrupts import StopRequest
from experiments.sweeps.clusters import Cluster, open_cluster
from experiments.sweeps.display import PlainDisplay
from experiments.sweeps.engine import call_all
from experiments.sweeps.launcher import train_missing
from experiments.sweeps.messages import Job, JobEnded, Message, Send, began, ended
from experiments.sweeps.monitor import Monitor
from experiments.sweeps.points import Point, read_results
from experiments.sweeps.results_table import print_results
from experiments.sweeps.sweep import load_points
from experiments.sweeps.zygotes import Zygote
from experiments.training.timing import seconds

# 16 points, each in its own process.
EQUAL = ["execution.xla=off", "task.size=200000", "logging.every=range(101,117)"]
MANY = ["training.first_seed=range(0,1000)"]
ALONE = 3  # rounds of a single process
BEGINS = 6  # points of one zygote
FASTER, OVERHEAD_SECONDS, BEGIN_SECONDS, MANY_SECONDS, GROWTH_KIB = 1.9, 0.5, 0.5, 60, 4


def measure_sweeps() -> Sequence[Measurement]:
    """Measure all rows. Takes about two minutes."""
    return [*_measure_workers(), *_measure_many()]


def _measure_workers() -> Sequence[Measurement]:
    with _in_a_folder():
        points = load_points("r2rt_n5", EQUAL)
        alone = median(seconds(partial(_run_alone, points[0], f"{n}")) for n in range(ALONE))
        took = {}
        for workers in (2, 1):
            moved = [point._replace(directory=Path(f"{workers}") / point.name) for point in points]
            with contextlib.redirect_stdout(io.StringIO()):
                took[workers] = seconds(partial(train_missing, moved, "local", workers))
        begin = _measure_begin(points[0])
    ratio, over = took[1] / took[2], took[1] / len(points) - alone
    return [
        Measurement(
            f"sweep of {len(points)} equal points, 2 workers against 1", took[2], "s", took[1],
            ratio, f"at least {FASTER:g} times faster", ratio >= FASTER,
        ),
        Measurement(
            "a point of it on 1 worker, against its process alone", took[1] / len(points), "s",
            alone, None, f"under {OVERHEAD_SECONDS:g} s more; it is {over:.2f} s",
            over < OVERHEAD_SECONDS,
        ),
        begin,
    ]  # fmt: skip


def _run_alone(point: Point, folder: str) -> None:
    """Train the point in a process of its own, its import of TensorFlow included."""
    zygote = Zygote({})
    try:
        for _ in _train(zygote, point, folder):
            pass
    finally:
        zygote.close()


def _train(zygote: Zygote, point: Point, folder: str) -> Iterator[Message]:
    return zygote.train([Job(point.name, point.config.as_dict(), folder)], str(Path.cwd()))


def _measure_begin(point: Point) -> Measurement:
    """Time a worker's second and later points, from the job to the first stage after the import."""
    zygote, took = Zygote({}), []
    try:
        for n in range(BEGINS):
            began = perf_counter()
            for message in _train(zygote, point, f"begin-{n}"):
                if message.get("stage") == "build":
                    took.append(perf_counter() - began)
    finally:
        zygote.close()
    value = median(took[1:])
    return Measurement(
        "a worker's point, from its second on, until its graph is built", value, "s", took[0],
        None, f"under {BEGIN_SECONDS:g} s", value < BEGIN_SECONDS,
    )  # fmt: skip


def _measure_many() -> Sequence[Measurement]:
    """Time a thousand points without training, then repeat the calls to measure memory."""
    with _in_a_folder(), open_cluster("local", 2, 2, Path(), print) as cluster:
        began = perf_counter()
        points = load_points("r2rt_n5", MANY)
        read_results(points, {})
        jobs = [Job(point.name, point.config.as_dict(), point.name) for point in points]
        with contextlib.redirect_stdout(io.StringIO()):
            _call(cluster, jobs)
            print_results(read_results(points, {}))
        took = perf_counter() - began
        for _ in range(3):  # fill Dask's logs, which keep thousands of events
            _call(cluster, jobs)
        before = psutil.Process().memory_info().rss
        for _ in range(2):
            _call(cluster, jobs)
        growth = (psutil.Process().memory_info().rss - before) / 1024 / (2 * len(jobs))
    return [
        Measurement(
            f"sweep of {len(points)} trivial points: check, schedule, collect", took, "s", None,
            None, f"under {MANY_SECONDS} s", took < MANY_SECONDS,
        ),
        Measurement(
            "the driver's memory, for each finished point", growth, "KiB", None, None,
            f"under {GROWTH_KIB} KiB", growth < GROWTH_KIB,
        ),
    ]  # fmt: skip


def _call(cluster: Cluster, jobs: Sequence[Job]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        monitor = Monitor(len(jobs), PlainDisplay())
        for result in call_all(cluster.client, _trivial, jobs, monitor.receive, StopRequest()):
            assert result.value is not None, result.reason
            monitor.end(*result.value)


def _trivial(job: Job, send: Send) -> JobEnded:
    """Send the messages of a point, without training it."""
    send(began(job.name))
    send(ended(job.name, "", 0.5, 0.0))
    return JobEnded(job.name, "")


@contextlib.contextmanager
def _in_a_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
