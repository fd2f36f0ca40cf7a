"""The part of a sweep that runs in Dask workers: it has points trained in child processes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator

from dask.system import CPU_COUNT
from distributed import Worker, WorkerPlugin, get_worker

from experiments.sweeps.messages import JobBatch, JobEnded, Send
from experiments.sweeps.zygotes import Zygote

# The sizes of TensorFlow's thread pools, unless the config sets them.
POOLS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def train_batch(batch: JobBatch, send: Send) -> list[JobEnded]:
    """Train jobs in a child process. If it dies, only the job that was running fails."""
    children = get_worker().plugins[batch.children]
    assert isinstance(children, Children)
    ended: list[JobEnded] = []
    while len(ended) < len(batch.jobs) and not children.stopping:
        rest = batch._replace(jobs=batch.jobs[len(ended) :])
        ended += _run_child(children, rest, send)
    return ended


def _run_child(children: Children, batch: JobBatch, send: Send) -> list[JobEnded]:
    """Run one child. Returns the jobs that ended: all of them unless it dies or is stopped."""
    jobs = batch.jobs
    ended: list[JobEnded] = []
    with children.zygote(batch.onednn) as zygote:
        if zygote is None:
            return []
        for message in zygote.train(jobs, batch.folder, batch.cells):
            if message["kind"] == "ended":
                ended.append(JobEnded(message["name"], message["reason"]))
            send(message)
        if children.stopping or len(ended) == len(jobs):
            return ended
        if zygote.code or not ended:
            ended.append(JobEnded(jobs[len(ended)].name, zygote.reason()))
    return ended


class Children(WorkerPlugin):
    """The child processes of one worker, and the zygotes that fork them.

    A zygote imports TensorFlow once and serves one batch after the other. A worker has as many as
    it trains batches at a time.
    """

    def __init__(self, name: str, share: int | None) -> None:
        self.name = name
        self._share = share  # cores of each point; None: the worker's cores divided by its threads

    def setup(self, worker: Worker) -> None:
        threads = self._share or max(1, CPU_COUNT // worker.state.nthreads)
        # OpenBLAS would start threads on its import. Without them, a zygote has a single one.
        self._environment = dict.fromkeys(POOLS, str(threads)) | {"OPENBLAS_NUM_THREADS": "1"}
        self.stopping = False
        self._idle: list[Zygote] = []
        self._busy: list[Zygote] = []
        self._lock = threading.Lock()  # threads start children that the worker's loop stops

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask calls it by this name
        self.stop(signal.SIGKILL)

    @contextlib.contextmanager
    def zygote(self, onednn: bool) -> Iterator[Zygote | None]:
        """An idle zygote of this setting, or a new one; None after `stop`."""
        with self._lock:
            found = None if self.stopping else self._take(onednn)
        try:
            yield found
        finally:
            if found is not None:
                self._take_back(found)

    def _take(self, onednn: bool) -> Zygote:
        fitting = [zygote for zygote in self._idle if zygote.onednn == onednn]
        if fitting:
            self._idle.remove(fitting[0])
        found = fitting[0] if fitting else Zygote(self._environment, onednn)
        self._busy.append(found)
        return found

    def _take_back(self, zygote: Zygote) -> None:
        with self._lock:
            self._busy.remove(zygote)
            keep = zygote.is_alive and zygote.code is not None and not self.stopping
            if keep:
                self._idle.append(zygote)
        if not keep:
            zygote.close()

    def stop(self, number: signal.Signals) -> None:
        """Refuse to start more children, and send the signal to those that run."""
        with self._lock:
            self.stopping = True
            for zygote in self._busy:
                zygote.stop(number)
            idle, self._idle = self._idle, []
        for zygote in idle:
            zygote.close()

    @property
    def running(self) -> int:
        return len(self._busy)


async def stop_children(name: str, dask_worker: Worker) -> None:
    """On each worker, ask the children to stop and wait until they have."""
    children = dask_worker.plugins.get(name)
    if isinstance(children, Children):  # a worker that has just joined may not have it yet
        children.stop(signal.SIGTERM)
        while children.running:
            await asyncio.sleep(0.05)
