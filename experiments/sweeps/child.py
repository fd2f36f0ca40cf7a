"""A process of its own for the points of one graph: its crash takes neither worker nor sweep.

The first line of standard input holds the orders, as JSON. The pipe then stays open for as long
as the worker lives; at its end the process ends at once, as if it were killed, which runs survive.
Messages go to what was standard output, one line of JSON each; SIGTERM asks to stop.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from experiments.config.schema import Config
from experiments.errors import Interrupted, InUseError, RunError, UsageError
from experiments.interrupts import stop_request
from experiments.sweeps.messages import Order, Tell
from experiments.training.progress import append_line
from experiments.training.resources import OpenSession, RunResources, one_session
from experiments.training.runner import train_with

TOLD_SECONDS = 1.0  # between two messages of how far a run is
LOCK_SECONDS = 5.0  # for the process of a worker that died to let go of the directory


def main() -> None:
    """Train the runs that were ordered, one after the other, on one built graph."""
    channel = _take_standard_output()
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_the_worker, daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=channel, flush=True)

    with stop_request() as stop, one_session() as open_session:
        for order in json.loads(line):
            if stop.requested:
                break
            _train(Order(**order), open_session, tell)


def _train(order: Order, open_session: OpenSession, tell: Tell) -> None:
    """One run, and how it ended."""

    @contextlib.contextmanager
    def progress(log: Path) -> Iterator[ToldProgress]:
        yield ToldProgress(order.name, log, tell)

    began, loss, reason = time.monotonic(), None, ""
    tell({"kind": "began", "name": order.name})
    try:
        config = Config.model_validate(order.config)
        summary = _when_free(RunResources(open_session, progress), config, Path(order.directory))
        loss = summary["final_loss"]["mean"]
    except (UsageError, RunError, Interrupted) as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    reason = " ".join(reason.split())
    tell({"kind": "ended", "name": order.name, "reason": reason, "loss": loss, "seconds": seconds})


def _when_free(resources: RunResources, config: Config, path: Path) -> dict[str, Any]:
    """Train once the directory is free. Raises InUseError where it stays in use."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return train_with(resources, config, path)
        except InUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)  # a lock gives no event to wait for with a deadline


class ToldProgress:
    """Progress as messages, and as lines of log.txt."""

    def __init__(self, name: str, log: Path, tell: Tell) -> None:
        self._name = name
        self._log = log
        self._tell = tell
        self._last = 0.0

    def log(self, text: str) -> None:
        append_line(self._log, text)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last >= TOLD_SECONDS:
            self._last = now
            place = {"what": what, "done": done, "total": total, "loss": loss}
            self._tell({"kind": "advanced", "name": self._name, **place})


def _take_standard_output() -> TextIO:
    """Standard output for messages alone: whatever a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _end_with_the_worker() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock would hold up the interpreter's end
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
