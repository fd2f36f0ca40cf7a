"""Progress of a run: a bar on a terminal, plain lines elsewhere, and log.txt."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol

from experiments.console import plain

PLAIN_SECONDS = 5.0  # between two plain lines


class Progress(Protocol):
    """Where training reports how far it is."""

    def log(self, text: str) -> None:
        """Show a line to the user and keep it in log.txt."""

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        """Show that `done` of `total` updates are done, with the loss of the last one."""


class PlainProgress:
    """Plain lines, at most one every PLAIN_SECONDS."""

    def __init__(self, log: Path) -> None:
        self._path = log
        self._last = time.monotonic()

    def log(self, text: str) -> None:
        print(shown(text), flush=True)
        append_line(self._path, text)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_SECONDS:
            self._last = now
            print(f"{what}: {done}/{total} updates, loss {loss:.4f}", flush=True)


class BarProgress:
    """A progress bar for the seed under way."""

    def __init__(self, log: Path) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._path = log
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

    def log(self, text: str) -> None:
        self._bars.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)
        append_line(self._path, text)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        self._bars.update(
            self._task, description=what, completed=done, total=total, loss=f"loss {loss:.4f}"
        )


@contextlib.contextmanager
def progress(log: Path) -> Iterator[Progress]:
    """A bar where standard output is a terminal, plain lines where it is not."""
    if sys.stdout.isatty():
        with BarProgress(log) as bar:
            yield bar
    else:
        yield PlainProgress(log)


def shown(text: str) -> str:
    """The line with control characters made visible, at the indent that it has."""
    return " " * (len(text) - len(text.lstrip(" "))) + plain(text)


def append_line(log: Path, text: str) -> None:
    """Add a line to log.txt, with the time."""
    stamp = datetime.now().astimezone().isoformat(timespec="seconds")
    with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{stamp} {shown(text)}\n")
