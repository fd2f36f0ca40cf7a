"""The progress of a sweep on the terminal."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.console import is_quiet, plain
from experiments.sweeps.monitor import Monitor, Overall, Running
from experiments.training.progress import REFRESHES

PLAIN_SECONDS = 10.0  # between two progress reports in plain lines
# Widths in columns: a bar, everything beside the name of a point, the least for a name.
BAR_WIDTH, BESIDE_NAME, LEAST_NAME = 8, 64, 12


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
