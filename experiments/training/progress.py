"""Progress of a run: a bar on a terminal, plain lines elsewhere, and log.txt."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol

from experiments.console import is_quiet, plain
from experiments.runs.checkpoints import Position

PLAIN_SECONDS = 5.0  # between two plain lines
BAR_WIDTH = 12  # columns of the terminal
REFRESHES = 2  # of bars each second, which take time from the training; rich makes ten


STAGES = ("import", "build", "compile", "train", "validate", "report")  # of a run, in this order


class Progress(Protocol):
    """Where training reports how far it is."""

    def log(self, text: str) -> None:
        """Show a line of progress to the user and keep it in log.txt."""

    def result(self, text: str) -> None:
        """Show a line of the result, with -q too, and keep it in log.txt."""

    def stage(self, name: str) -> None:
        """Show that the run has come to one of the STAGES."""

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        """Show that `done` of the `total` updates of all seeds are done, with the last loss.

        `what` is the seed that is trained: "seed 3, 4 of 10".
        """


class QuietProgress:
    """Results alone."""

    def __init__(self, log: Path) -> None:
        self._path = log

    def log(self, text: str) -> None:
        append_line(self._path, text)

    def result(self, text: str) -> None:
        print(shown(text), flush=True)
        append_line(self._path, text)

    def stage(self, name: str) -> None:
        pass

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        pass


class PlainProgress:
    """Plain lines: each stage when it first begins, and updates at most every PLAIN_SECONDS."""

    def __init__(self, log: Path) -> None:
        self._path = log
        self._last = time.monotonic()
        self._stages: set[str] = set()

    def log(self, text: str) -> None:
        print(shown(text), flush=True)
        append_line(self._path, text)

    def result(self, text: str) -> None:
        self.log(text)

    def stage(self, name: str) -> None:
        if name not in self._stages:
            self._stages.add(name)
            print(f"stage: {name}", flush=True)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_SECONDS:
            self._last = now
            print(f"{what}: {done}/{total} updates, loss {loss:.4f}", flush=True)


class BarProgress:
    """A bar for the updates of all seeds, with the stage and the remaining time."""

    def __init__(self, log: Path) -> None:
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._path = log
        self.bars = Bars(  # at most 80 columns
            TextColumn("{task.description}"), BarColumn(BAR_WIDTH),
            TextColumn("{task.fields[count]}"), TextColumn("remaining"), TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"), transient=True, refresh_per_second=REFRESHES,
        )  # fmt: skip
        self._task = self.bars.add_task("", total=None, count="", state="")
        self._began = False

    def __enter__(self) -> BarProgress:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def log(self, text: str) -> None:
        self.bars.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)
        append_line(self._path, text)

    def result(self, text: str) -> None:
        self.log(text)

    def stage(self, name: str) -> None:
        self.bars.update(self._task, description=name)

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        if not self._began:  # what an earlier call trained says nothing about the speed now
            self.bars.reset(self._task, total=total, completed=done)
            self._began = True
        self.bars.update(
            self._task, description="train", completed=done, total=total,
            count=f"{done}/{total}", state=f"{what}, loss {loss:.4f}",
        )  # fmt: skip


class SeedsProgress:
    """Progress of the seeds of a run, some of which may be trained side by side."""

    def __init__(self, shown: Progress, seeds: Sequence[int], updates: int) -> None:
        """`updates` are those of each seed."""
        self.log = shown.log
        self.stage = shown.stage
        self._shown = shown
        self._total = updates
        self._done = dict.fromkeys(seeds, 0)

    def advance(self, position: Position, loss: float) -> None:
        """Show how far a seed is, with its last loss. A seed that has ended counts as a whole."""
        running = position.status == "running"
        self._done[position.seed] = position.updates if running else self._total
        seeds = list(self._done)
        what = f"seed {position.seed}"
        if len(seeds) > 1:
            what += f", {seeds.index(position.seed) + 1} of {len(seeds)}"
        done, total = sum(self._done.values()), len(seeds) * self._total
        self._shown.advance(what, done, total, loss)

    def skip(self, finished: Sequence[Position]) -> None:
        """Count seeds that an earlier call has trained."""
        for position in finished:
            self._done[position.seed] = self._total


@contextlib.contextmanager
def progress(log: Path) -> Iterator[Progress]:
    """A bar where standard output is a terminal, plain lines where it is not; neither with -q."""
    if is_quiet():
        yield QuietProgress(log)
    elif sys.stdout.isatty():
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
