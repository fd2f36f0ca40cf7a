"""What a Dask worker does with points: it trains them in child processes, and minds those."""

from __future__ import annotations

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
from experiments.sweeps.messages import Ended, Order, Orders, Tell

POOLS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # where the config leaves it open


def train_orders(orders: Orders, tell: Tell) -> list[Ended]:
    """Train runs in a child process; one that dies costs the run under way, and no other."""
    children = get_worker().plugins[orders.children]
    assert isinstance(children, Children)
    ended: list[Ended] = []
    while len(ended) < len(orders.runs) and not children.stopping:
        ended += _run_child(children, orders.runs[len(ended) :], orders.folder, tell)
    return ended


def _run_child(
    children: Children, runs: Sequence[Order], folder: str, tell: Tell
) -> list[Ended]:  # fmt: skip
    """The first of the runs that have ended when the child has: all of them, if nothing happens."""
    ended: list[Ended] = []
    with tempfile.TemporaryFile() as errors:
        process = children.start(folder, errors)
        if process is None:
            return []
        try:
            with process:  # leaving it closes the pipes and waits
                _give(process, runs)
                for line in process.stdout or ():
                    message = json.loads(line)
                    if message["kind"] == "ended":
                        ended.append(Ended(message["name"], message["reason"]))
                    tell(message)
        finally:
            children.forget(process)
        if children.stopping or len(ended) == len(runs):
            return ended
        if process.returncode or not ended:
            ended.append(Ended(runs[len(ended)].name, _reason(process.returncode, errors)))
    return ended


def _give(process: subprocess.Popen[str], runs: Sequence[Order]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps([run._asdict() for run in runs]) + "\n")
        process.stdin.flush()  # and left open: its end tells the child that we are gone
    except BrokenPipeError:
        pass  # it ended already; its exit code says how


def _reason(code: int, errors: IO[bytes]) -> str:
    """Why a child ended without a word: the signal, or the last line of standard error."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the process ended with exit code {code}"


class Children(WorkerPlugin):
    """The child processes of one worker."""

    def __init__(self, name: str, share: int | None) -> None:
        self.name = name
        self._share = share  # cores of each point; None: the worker's, divided by its threads

    def setup(self, worker: Worker) -> None:
        self._threads = self._share or max(1, CPU_COUNT // worker.state.nthreads)
        self.stopping = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()  # the worker's loop stops what its threads start

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask names it
        self.stop(signal.SIGKILL)

    def start(self, folder: str, errors: IO[bytes]) -> subprocess.Popen[str] | None:
        """A child that waits for its orders; None when no more are to be started."""
        pools = dict.fromkeys(POOLS, str(self._threads))
        search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self._lock:
            if self.stopping:
                return None
            process = subprocess.Popen(
                # -P: no module is imported from the current folder, which may be anybody's
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
        """Start no more, and send the signal to those that run."""
        with self._lock:
            self.stopping = True
            for process in self._running:
                process.send_signal(number)

    @property
    def running(self) -> int:
        return len(self._running)
