"""The progress of a sweep on the terminal, and the table at its end."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from experiments.console import plain, print_table
from experiments.sweeps.messages import Message
from experiments.sweeps.points import Result

PLAIN_SECONDS = 10.0  # between two reports in plain lines


class PointProgress(NamedTuple):
    """How much of a point is done."""

    what: str  # "seed 3"
    done: int  # updates
    total: int
    loss: float

    def __str__(self) -> str:
        return f"{self.what}, {self.done}/{self.total} updates, loss {self.loss:.4f}"


Running = Mapping[str, PointProgress | None]  # by the point's name; None while it starts


class Display(Protocol):
    """A way to show the progress of a sweep."""

    def print_line(self, text: str) -> None:
        """Print a line that stays."""

    def show(self, ended: int, running: Running) -> None:
        """Show the points that are running now."""


class Monitor:
    """Keeps track of which points are running and which have ended, and displays it."""

    def __init__(self, total: int, display: Display) -> None:
        self._total = total
        self._display = display
        self._running: dict[str, PointProgress | None] = {}
        self._ended: set[str] = set()

    def print_line(self, text: str) -> None:
        self._display.print_line(text)

    def receive(self, message: Message) -> None:
        """Take in a message of a child process; one may come late, or never if its worker dies."""
        name = message["name"]
        if name in self._ended:
            return
        if message["kind"] == "ended":
            loss = f"loss {message['loss']:.4f}, " if message["loss"] is not None else ""
            self.end(name, message["reason"], f"{loss}{message['seconds']:.0f} s")
            return
        if message["kind"] == "began":
            if name in self._running:
                self.print_line(f"{name}: its worker died; another worker resumes it")
            self._running[name] = None
        else:
            progress = PointProgress(*(message[field] for field in PointProgress._fields))
            self._running[name] = progress
        self._display.show(len(self._ended), self._running)

    def end(self, name: str, reason: str, details: str = "") -> None:
        """Record the end of a point: from its message or, reliably, from the result of its call."""
        self._running.pop(name, None)
        if name in self._ended:
            return
        self._ended.add(name)
        state = f"failed: {reason}" if reason else ", ".join(filter(None, ("complete", details)))
        self.print_line(f"[{len(self._ended)}/{self._total}] {name}: {state}")
        self._display.show(len(self._ended), self._running)


class PlainDisplay:
    """Plain lines, at most once every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def print_line(self, text: str) -> None:
        print(plain(text), flush=True)

    def show(self, ended: int, running: Running) -> None:
        now = time.monotonic()
        if running and now - self._last >= PLAIN_SECONDS:
            self._last = now
            print(f"{ended} ended, {len(running)} running:", flush=True)
            for name, progress in running.items():
                print(f"  {plain(name)}: {progress or 'starting'}", flush=True)


class BarDisplay:
    """A progress bar for all points, and one for each that is running."""

    def __init__(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self.bars = Bars(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[state]}", markup=False), transient=True,
        )  # fmt: skip
        self._all = self.bars.add_task("points", total=total, state="")
        self._tasks: dict[str, Any] = {}

    def print_line(self, text: str) -> None:
        self.bars.console.print(
            plain(text), markup=False, emoji=False, highlight=False, soft_wrap=True
        )

    def show(self, ended: int, running: Running) -> None:
        self.bars.update(self._all, completed=ended)
        for name in self._tasks.keys() - running.keys():
            self.bars.remove_task(self._tasks.pop(name))
        for name, progress in running.items():
            if name not in self._tasks:
                self._tasks[name] = self.bars.add_task(plain(name), total=None, state="starting")
            if progress is not None:
                self.bars.update(
                    self._tasks[name], completed=progress.done, total=progress.total,
                    state=f"{progress.what}, loss {progress.loss:.4f}",
                )  # fmt: skip


@contextlib.contextmanager
def open_monitor(total: int) -> Iterator[Monitor]:
    """A monitor with bars on a terminal, with plain lines elsewhere."""
    if sys.stdout.isatty():
        display = BarDisplay(total)
        with display.bars:
            yield Monitor(total, display)
    else:
        yield Monitor(total, PlainDisplay())


def print_results(results: Sequence[Result]) -> None:
    """A table of the points: status, final loss and seconds of training."""
    rows = [
        [
            result.point.name,
            result.status,
            "" if result.loss is None else f"{result.loss:.4f}",
            f"{result.seconds:.1f}" if result.seconds else "",
        ]
        for result in results
    ]
    print_table(["point", "status", "loss", "seconds"], rows)
