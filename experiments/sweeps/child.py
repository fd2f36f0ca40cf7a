"""The training of one batch of jobs, in a child process that a zygote has forked for it.

If it crashes, its worker and the sweep survive. SIGTERM requests a stop.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.config.schema import Config
from experiments.errors import ExperimentError, InUseError
from experiments.interrupts import stop_request
from experiments.sweeps.messages import Job, Send, advanced, began, ended, entered
from experiments.training.progress import append_line
from experiments.training.resources import OpenSessions, RunResources, one_graph
from experiments.training.runner import train_with

MESSAGE_SECONDS = 1.0  # between two progress messages of a run
LOCK_SECONDS = 5.0  # time for the process of a dead worker to release the run directory


def train_jobs(jobs: Sequence[Job], send: Send) -> None:
    """Train the jobs one after the other, on one graph."""
    with stop_request() as stop, one_graph() as open_sessions:
        for job in jobs:
            if stop.requested:
                break
            _train(job, open_sessions, send)


def _train(job: Job, open_sessions: OpenSessions, send: Send) -> None:
    """Train one run, and send a message about how it ended."""

    @contextlib.contextmanager
    def progress(log: Path) -> Iterator[MessageProgress]:
        yield MessageProgress(job.name, log, send)

    loss, seconds, reason = None, None, ""
    send(began(job.name))
    try:
        config = Config.model_validate(job.config)
        summary = _when_free(RunResources(open_sessions, progress), config, job)
        loss = summary["final_loss"]["mean"]
        seconds = summary["seconds"] / len(summary["seeds"])
    except ExperimentError as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    send(ended(job.name, " ".join(reason.split()), loss, seconds))


def _when_free(resources: RunResources, config: Config, job: Job) -> dict[str, Any]:
    """Train as soon as the directory is free. Raises InUseError if it stays in use."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return train_with(resources, config, Path(job.directory), data_changed=job.data_changed)
        except InUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)  # there is no way to wait for a lock with a deadline


class MessageProgress:
    """Reports progress as messages, and writes lines to log.txt."""

    def __init__(self, name: str, log: Path, send: Send) -> None:
        self._name = name
        self._log = log
        self._send = send
        self._last = 0.0

    def log(self, text: str) -> None:
        append_line(self._log, text)

    def result(self, text: str) -> None:
        self.log(text)

    def stage(self, name: str) -> None:
        self._send(entered(self._name, name))

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last >= MESSAGE_SECONDS:
            self._last = now
            self._send(advanced(self._name, what, done, total, loss))
