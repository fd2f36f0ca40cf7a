"""The part of a sweep that runs in Dask workers: it trains points in child processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import IO

from dask.system import CPU_COUNT
from distributed import Worker, WorkerPlugin, get_worker

from experiments.paths import ROOT
from experiments.sweeps.messages import Job, JobBatch, JobEnded, Send

# The sizes of TensorFlow's thread pools, unless the config sets them.
POOLS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def train_batch(batch: JobBatch, send: Send) -> list[JobEnded]:
    """Train jobs in a child process. If it dies, only the job that was running fails."""
    children = get_worker().plugins[batch.children]
    assert isinstance(children, Children)
    ended: list[JobEnded] = []
    while len(ended) < len(batch.jobs) and not children.stopping:
        ended += _run_child(children, batch.jobs[len(ended) :], batch.folder, send)
    return ended


def _run_child(
    children: Children, jobs: Sequence[Job], folder: str, send: Send
) -> list[JobEnded]:  # fmt: skip
    """Run one child. Returns the jobs that ended: all of them unless it dies or is stopped."""
    ended: list[JobEnded] = []
    with tempfile.TemporaryFile() as errors:
        process = children.start(folder, errors)
        if process is None:
            return []
        try:
            with process:  # on exit, closes the pipes and waits
                _send_jobs(process, jobs)
                for line in process.stdout or ():
                    message = json.loads(line)
                    if message["kind"] == "ended":
                        ended.append(JobEnded(message["name"], message["reason"]))
                    send(message)
        finally:
            children.forget(process)
        if children.stopping or len(ended) == len(jobs):
            return ended
        if process.returncode or not ended:
            ended.append(JobEnded(jobs[len(ended)].name, _reason(process.returncode, errors)))
    return ended


def _send_jobs(process: subprocess.Popen[str], jobs: Sequence[Job]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps([job._asdict() for job in jobs]) + "\n")
        process.stdin.flush()  # the pipe stays open, because the child exits when it closes
    except BrokenPipeError:
        pass  # the child is dead, and its exit code shows why


def _reason(code: int, errors: IO[bytes]) -> str:
    """The reason why a child died: the signal, or the last line of standard error."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the process ended with exit code {code}"


class Children(WorkerPlugin):
    """The child processes of one worker."""

    def __init__(self, name: str, share: int | None) -> None:
        self.name = name
        self._share = share  # cores of each point; None: the worker's cores divided by its threads

    def setup(self, worker: Worker) -> None:
        self._threads = self._share or max(1, CPU_COUNT // worker.state.nthreads)
        self.stopping = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()  # threads start children that the worker's loop stops

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask calls it by this name
        self.stop(signal.SIGKILL)

    def start(self, folder: str, errors: IO[bytes]) -> subprocess.Popen[str] | None:
        """Start a child that waits for its jobs; None after `stop`."""
        pools = dict.fromkeys(POOLS, str(self._threads))
        search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self._lock:
            if self.stopping:
                return None
            process = subprocess.Popen(
                # -P: import nothing from the current folder, which may belong to someone else
                [sys.executable, "-P", "-m", "experiments.sweeps.child"],
                cwd=folder,
                env=os.environ | pools | {"PYTHONPATH": search},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            self._running.add(process)
        return process

    def forget(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._running.discard(process)

    def stop(self, number: signal.Signals) -> None:
        """Refuse to start more children, and send the signal to those that run."""
        with self._lock:
            self.stopping = True
            for process in self._running:
                process.send_signal(number)

    @property
    def running(self) -> int:
        return len(self._running)


async def stop_children(name: str, dask_worker: Worker) -> None:
    """On each worker, ask the children to stop and wait until they have."""
    children = dask_worker.plugins.get(name)
    if isinstance(children, Children):  # a worker that has just joined may not have it yet
        children.stop(signal.SIGTERM)
        while children.running:
            await asyncio.sleep(0.05)
