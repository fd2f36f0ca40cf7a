"""Points to the workers of a cluster, and back how they ended. Imports Dask."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from collections.abc import Sequence
from pathlib import Path

from distributed import Worker

from experiments.interrupts import StopRequest
from experiments.sweeps.clusters import Cluster
from experiments.sweeps.display import Watch
from experiments.sweeps.engine import call_all
from experiments.sweeps.messages import Ended, Order, Orders
from experiments.sweeps.points import Point, share_graphs
from experiments.sweeps.worker import Children, train_orders


def train_on(
    cluster: Cluster, points: Sequence[Point], shown: Watch, stop: StopRequest
) -> dict[str, str]:
    """Train points. Returns the reasons of those that failed, by name.

    When asked to stop it returns as soon as what is under way has written its checkpoints.
    """
    client = cluster.client
    children = Children(f"children-{uuid.uuid4()}", cluster.cores)  # other sweeps have their own
    client.register_plugin(children)
    batches = [_orders(batch, children.name) for batch in share_graphs(points, cluster.workers)]
    failures = {}
    for called in call_all(client, train_orders, batches, shown.hear, stop, cluster.tend):
        lost = [Ended(run.name, called.reason) for run in called.item.runs]
        for name, reason in lost if called.value is None else called.value:
            shown.ended(name, reason)
            if reason:
                failures[name] = reason
    if client.status == "running":
        if stop.requested:
            client.run(_stop_children, children.name, on_error="ignore")
        with contextlib.suppress(KeyError):  # as below
            client.unregister_worker_plugin(children.name)
    return failures


def _orders(batch: Sequence[Point], children: str) -> Orders:
    here = Path.cwd()
    runs = [
        Order(point.name, point.config.as_dict(), str(here / point.directory)) for point in batch
    ]
    return Orders(tuple(runs), str(here), children)


async def _stop_children(name: str, dask_worker: Worker) -> None:
    """On each worker: ask the children to stop, and wait until they have."""
    children = dask_worker.plugins.get(name)
    if isinstance(children, Children):  # a worker that has just joined may not have it yet
        children.stop(signal.SIGTERM)
        while children.running:
            await asyncio.sleep(0.05)
