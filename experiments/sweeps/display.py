"""The progress of a sweep on the terminal, and the table at its end."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from experiments.console import is_quiet, plain, print_table
from experiments.sweeps.messages import Message
from experiments.sweeps.points import Result, short_names
from experiments.training.progress import REFRESHES

PLAIN_SECONDS = 10.0  # between two progress reports in plain lines
# Widths in columns: a bar, everything beside the name of a point, the least for a name.
BAR_WIDTH, BESIDE_NAME, LEAST_NAME = 8, 64, 12


class PointProgress(NamedTuple):
    """The progress of a point."""

    what: str  # "seed 3, 4 of 10"
    done: int  # updates of all seeds
    total: int
    loss: float

    def __str__(self) -> str:
        return f"{self.what}, {self.done}/{self.total} updates, loss {self.loss:.4f}"


class RunningPoint(NamedTuple):
    """A point that is being trained."""

    stage: str  # one of progress.STAGES; "start" before the first
    progress: PointProgress | None = None  # the latest, None before the first update
    began: tuple[float, int] = (0.0, 0)  # when its first progress came, and the updates by then

    def __str__(self) -> str:
        training = self.stage == "train" and self.progress
        return str(self.progress) if training else self.stage

    def remaining(self, now: float) -> float:
        """Seconds, if it trains as fast as it did so far; 0 where that is not known."""
        since, before = self.began
        if self.progress is None or self.progress.done == before:
            return 0.0
        left = self.progress.total - self.progress.done
        return left * (now - since) / (self.progress.done - before)


Running = Mapping[str, RunningPoint]  # by the point's name


class Overall(NamedTuple):
    """The progress of a sweep over the points that it trains."""

    ended: int
    total: int
    fraction: float  # done, running points included in part
    elapsed: float  # seconds
    least: float = 0.0  # seconds that the slowest of the running points needs

    @property
    def remaining(self) -> float | None:
        """Seconds, if the rest is as fast as the points so far; None before any progress.

        A slow point that is still running, often the last, may need longer than that.
        """
        if not self.fraction:
            return None
        return max(self.least, self.elapsed * (1 - self.fraction) / self.fraction)


class Display(Protocol):
    """A way to show the progress of a sweep."""

    def print_line(self, text: str) -> None:
        """Print a permanent line."""

    def show(self, overall: Overall, running: Running) -> None:
        """Show the progress of the sweep and of the running points."""


class Monitor:
    """Keeps track of which points are running and which have ended, and displays it."""

    def __init__(
        self, total: int, display: Display, labels: Mapping[str, str] | None = None
    ) -> None:
        """Labels: how points are shown, by name; a point without one is shown by its name."""
        self._total = total
        self._labels = labels or {}
        self._display = display
        self._running: dict[str, RunningPoint] = {}
        self._ended: set[str] = set()
        self._began = time.monotonic()

    def print_line(self, text: str) -> None:
        self._display.print_line(text)

    def receive(self, message: Message) -> None:
        """Process a message of a child. It may come late, or never if its worker dies."""
        name = message["name"]
        if name in self._ended:
            return
        if message["kind"] == "ended":
            self.end(name, message["reason"], _details(message))
            return
        if message["kind"] == "began":
            if name in self._running:
                self.print_line(
                    f"{self._labels.get(name, name)}: its worker died; another worker resumes it"
                )
            self._running[name] = RunningPoint("start")
        elif message["kind"] == "entered":
            known = self._running.get(name, RunningPoint("start"))
            self._running[name] = known._replace(stage=message["stage"])
        else:
            progress = PointProgress(*(message[field] for field in PointProgress._fields))
            known = self._running.get(name, RunningPoint("start"))
            began = known.began if known.progress else (time.monotonic(), progress.done)
            self._running[name] = RunningPoint("train", progress, began)
        self.refresh()

    def end(self, name: str, reason: str, details: str = "") -> None:
        """Record the end of a point, from its message or, reliably, from the result of its call."""
        self._running.pop(name, None)
        if name in self._ended:
            return
        self._ended.add(name)
        state = f"failed: {reason}" if reason else ", ".join(filter(None, ("complete", details)))
        label = self._labels.get(name, name)
        self.print_line(f"[{len(self._ended)}/{self._total}] {label}: {state}")
        self.refresh()

    def refresh(self) -> None:
        """Show the progress as time passes; children that import or compile send no message."""
        running = {self._labels.get(name, name): point for name, point in self._running.items()}
        self._display.show(self._overall(), running)

    def _overall(self) -> Overall:
        parts = [point.progress for point in self._running.values()]
        done = len(self._ended) + sum(part.done / part.total for part in parts if part)
        now = time.monotonic()
        least = max((point.remaining(now) for point in self._running.values()), default=0.0)
        fraction = min(1.0, done / self._total)
        return Overall(len(self._ended), self._total, fraction, now - self._began, least)


def _details(message: Message) -> str:
    """The results of a run that has ended: "loss 0.4123, 12.3 s a seed"."""
    loss, seconds = message["loss"], message["seconds_a_seed"]
    parts = [
        "" if loss is None else f"loss {loss:.4f}",
        "" if seconds is None else f"{seconds:.1f} s a seed",
    ]
    return ", ".join(filter(None, parts))


class QuietDisplay:
    """Shows nothing, for -q. The table at the end has every point."""

    def print_line(self, text: str) -> None:
        pass

    def show(self, overall: Overall, running: Running) -> None:
        pass


class PlainDisplay:
    """Prints plain lines, at most once every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def print_line(self, text: str) -> None:
        print(plain(text), flush=True)

    def show(self, overall: Overall, running: Running) -> None:
        now = time.monotonic()
        if overall.ended < overall.total and now - self._last >= PLAIN_SECONDS:
            self._last = now
            line = (
                f"{overall.ended} of {overall.total} points ended, {len(running)} running, "
                f"elapsed {clock(overall.elapsed)}, remaining {clock(overall.remaining)}"
            )
            print(f"{line}:" if running else line, flush=True)
            for name, point in running.items():
                print(f"  {plain(name)}: {point}", flush=True)


class BarDisplay:
    """Shows a progress bar for all points, and one for each running point."""

    def __init__(self, total: int) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        width = max(LEAST_NAME, shutil.get_terminal_size().columns - BESIDE_NAME)
        name = Column(max_width=width, no_wrap=True, overflow="ellipsis")
        self.bars = Bars(
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(BAR_WIDTH), TextColumn("{task.fields[count]}"),
            TextColumn("elapsed"), TimeElapsedColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            transient=True, refresh_per_second=REFRESHES,
        )  # fmt: skip
        self._all = self.bars.add_task("points", total=total, count=f"0/{total}", state="")
        self._tasks: dict[str, Any] = {}

    def print_line(self, text: str) -> None:
        self.bars.console.print(
            plain(text), markup=False, emoji=False, highlight=False, soft_wrap=True
        )

    def show(self, overall: Overall, running: Running) -> None:
        self.bars.update(
            self._all, completed=overall.fraction * overall.total,
            count=f"{overall.ended}/{overall.total}",
            state=f"remaining {clock(overall.remaining)}, {len(running)} running",
        )  # fmt: skip
        for name in self._tasks.keys() - running.keys():
            self.bars.remove_task(self._tasks.pop(name))
        for name, point in running.items():
            if name not in self._tasks:
                self._tasks[name] = self.bars.add_task(plain(name), total=None, count="", state="")
            progress = point.progress
            if progress is None:
                self.bars.update(self._tasks[name], state=point.stage)
            else:
                self.bars.update(
                    self._tasks[name], completed=progress.done, total=progress.total,
                    count=f"{progress.done}/{progress.total}",
                    state=f"{point.stage}, loss {progress.loss:.4f}",
                )  # fmt: skip


def clock(seconds: float | None) -> str:
    """Seconds as h:mm:ss, "unknown" for None."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextlib.contextmanager
def open_monitor(total: int, labels: Mapping[str, str] | None = None) -> Iterator[Monitor]:
    """A monitor with bars on a terminal, with plain lines elsewhere, with neither for -q."""
    if is_quiet():
        yield Monitor(total, QuietDisplay(), labels)
    elif sys.stdout.isatty():
        display = BarDisplay(total)
        with display.bars:
            yield Monitor(total, display, labels)
    else:
        yield Monitor(total, PlainDisplay(), labels)


def print_results(results: Sequence[Result]) -> None:
    """A table of the points: status, final loss and seconds of training a seed.

    Points are named by the settings in which they differ.
    """
    labels = short_names([result.point.name for result in results])
    rows = [
        [
            labels[result.point.name],
            result.status,
            "" if result.loss is None else f"{result.loss:.4f}",
            "" if result.seconds_a_seed is None else f"{result.seconds_a_seed:.1f}",
        ]
        for result in results
    ]
    print_table(["point", "status", "loss", "seconds a seed"], rows)
