"""Train the incomplete points of a sweep or a study on the workers of a cluster."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.console import is_confirmed, is_quiet
from experiments.errors import Interrupted
from experiments.interrupts import StopRequest, stop_request
from experiments.runs.directory import RunDirectory
from experiments.sweeps.clusters import Cluster, open_cluster
from experiments.sweeps.display import open_monitor
from experiments.sweeps.messages import Job, JobBatch, JobEnded
from experiments.sweeps.monitor import Monitor
from experiments.sweeps.points import Point, Result, read_results, share_graphs, short_names
from experiments.sweeps.results_table import print_results
from experiments.training.execution import wants_onednn
from experiments.training.workload import make_workload

UNASKED = 1_000  # points that start without confirmation
STOPPING = "stopping: running points write their checkpoints; Ctrl-C again does not wait"


def may_start(name: str, points: int, yes: bool) -> bool:
    """Whether the user agrees to so many points; asks if they are more than UNASKED, unless `yes`.

    Raises UsageError if there is neither `yes` nor a terminal to ask on.
    """
    if points <= UNASKED or is_confirmed(f"{name}: start {points:,} points?", yes):
        return True
    print("nothing was started")
    return False


def train_missing(
    points: Sequence[Point], where: str, workers: int | None, data_changed: bool = False
) -> list[Result]:
    """Train the incomplete points, and print a table of all points. Returns all results.

    `data_changed` allows points to continue on other data than they began on.
    On a request to stop, waits until running points have written their checkpoints, prints the
    table and raises Interrupted. A second request does not wait for them.
    """
    failures: dict[str, str] = {}
    with stop_request() as stop:
        try:
            missing = [each.point for each in read_results(points, {}) if each.needs_training]
            if not is_quiet():
                done = len(points) - len(missing)
                count = f"{len(points)} point{'s' * (len(points) > 1)}"
                print(f"{count}, {done} already done", flush=True)
            if missing and not stop.requested:
                labels = short_names([point.name for point in points])
                folder = Path.cwd() / missing[0].directory.parent / "slurm"
                with (
                    open_monitor(len(missing), labels) as monitor,
                    open_cluster(
                        where, workers, len(missing), folder, monitor.print_line
                    ) as cluster,
                ):
                    failures = train_on(cluster, missing, monitor, stop, data_changed)
        except KeyboardInterrupt:
            stop.request()
        results = read_results(points, failures)
        print_results(results)
        if stop.requested:
            done = sum(not result.needs_training for result in results)
            raise Interrupted(
                f"stopped with {done} of {len(points)} points done; "
                "rerun the same command to resume"
            )
    return results


def train_on(
    cluster: Cluster,
    points: Sequence[Point],
    monitor: Monitor,
    stop: StopRequest,
    data_changed: bool = False,
) -> dict[str, str]:
    """Train points on an open cluster. Returns the reasons of failed points, by name.

    On a request to stop it returns as soon as the running points have written their checkpoints.
    """
    from experiments.sweeps.engine import call_all  # both import Dask, which takes a second
    from experiments.sweeps.worker import Children, stop_children, train_batch

    client = cluster.client
    children = Children(f"children-{uuid.uuid4()}", cluster.cores)  # a name for this sweep alone
    client.register_plugin(children)
    batches = [
        _batch(group, onednn, children.name, data_changed)
        for alike in share_graphs(points, cluster.workers)
        for onednn, group in _by_onednn(alike).items()
    ]
    failures = {}
    for result in call_all(
        client, train_batch, batches, monitor.receive, stop, cluster.tend, monitor.refresh
    ):
        lost = [JobEnded(job.name, result.reason) for job in result.item.jobs]
        for name, reason in lost if result.value is None else result.value:
            monitor.end(name, reason)
            if reason:
                failures[name] = reason
    if client.status == "running":
        if stop.requested:
            if not is_quiet():
                print(STOPPING, file=sys.stderr, flush=True)
            client.run(stop_children, children.name, on_error="ignore")
        with contextlib.suppress(KeyError):  # a worker that has just joined may lack the plugin
            client.unregister_worker_plugin(children.name)
    return failures


def _batch(
    points: Sequence[Point], onednn: bool, children: str, data_changed: bool
) -> JobBatch:  # fmt: skip
    here = Path.cwd()
    jobs = [
        Job(point.name, point.config.as_dict(), str(here / point.directory), data_changed)
        for point in points
    ]
    file = points[0].config.model.traits.file  # of all points, which differ in their seeds only
    return JobBatch(tuple(jobs), str(here), children, onednn, file)


def _by_onednn(alike: Sequence[Point]) -> Mapping[bool, Sequence[Point]]:
    """Points that differ only in their seeds, by whether they are trained with oneDNN.

    Those that have begun keep what they began with; one process cannot train both kinds.
    """
    workload = make_workload(alike[0].config)
    groups: dict[bool, list[Point]] = {}
    for point in alike:
        wanted = wants_onednn(point.config, workload, RunDirectory(point.directory))
        groups.setdefault(wanted, []).append(point)
    return groups
