"""How a run tells where it is: a bar on a terminal, plain lines elsewhere, and log.txt."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol

PLAIN_SECONDS = 5.0  # between two plain lines


class Progress(Protocol):
    """What training calls."""

    def say(self, text: str) -> None:
        """A line for the user, also kept in log.txt."""

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        """`done` of `total` updates are done, and the loss was this."""


class PlainProgress:
    """Lines, at most one each few seconds."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._last = time.monotonic()

    def say(self, text: str) -> None:
        print(text, flush=True)
        append_line(self._log, text)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_SECONDS:
            self._last = now
            print(f"{what}: {done}/{total} updates, loss {loss:.4f}", flush=True)


class BarProgress:
    """One bar of rich for the seed under way."""

    def __init__(self, log: Path) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._log = log
        self._bars = Bars(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[loss]}"), transient=True,
        )  # fmt: skip
        self._task = self._bars.add_task("", total=None, loss="")

    def __enter__(self) -> BarProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        append_line(self._log, text)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        self._bars.update(
            self._task, description=what, completed=done, total=total, loss=f"loss {loss:.4f}"
        )


@contextlib.contextmanager
def progress(log: Path) -> Iterator[Progress]:
    """The fitting kind for where standard output goes."""
    if sys.stdout.isatty():
        with BarProgress(log) as bar:
            yield bar
    else:
        yield PlainProgress(log)


def append_line(log: Path, text: str) -> None:
    """Add a line, with its time, to log.txt."""
    stamp = datetime.now().astimezone().isoformat(timespec="seconds")
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{stamp} {text}\n")
