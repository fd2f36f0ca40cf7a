"""What a terminal shows of points under way, and the table at the end."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from experiments.sweeps.points import Result

PLAIN_SECONDS = 10.0  # between two plain lines of what is under way


class Place(NamedTuple):
    """How far a point is."""

    what: str  # "seed 3"
    done: int  # updates
    total: int
    loss: float

    def __str__(self) -> str:
        return f"{self.what}, {self.done}/{self.total} updates, loss {self.loss:.4f}"


UnderWay = Mapping[str, Place | None]  # by the point's name; None: it starts


class Display(Protocol):
    """Where it is shown."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def show(self, ended: int, under_way: UnderWay) -> None:
        """How things are now."""


class Watch:
    """Keeps in mind which points are under way and which have ended, and shows it."""

    def __init__(self, total: int, display: Display) -> None:
        self._total = total
        self._display = display
        self._under_way: dict[str, Place | None] = {}
        self._ended: set[str] = set()

    def say(self, text: str) -> None:
        self._display.say(text)

    def hear(self, message: dict[str, Any]) -> None:
        """A message of sweeps/child.py. It may come late, or never, where a worker dies."""
        name = message["name"]
        if name in self._ended:
            return
        if message["kind"] == "ended":
            told = f"loss {message['loss']:.4f}, " if message["loss"] is not None else ""
            self.ended(name, message["reason"], f"{told}{message['seconds']:.0f} s")
            return
        if message["kind"] == "began":
            if name in self._under_way:
                self._display.say(f"{name}: its worker died; another one goes on with it")
            self._under_way[name] = None
        else:
            place = Place(*(message[field] for field in Place._fields))
            self._under_way[name] = place
        self._display.show(len(self._ended), self._under_way)

    def ended(self, name: str, reason: str, details: str = "") -> None:
        """A point ended, as a message or, for certain, the result of its call says."""
        self._under_way.pop(name, None)
        if name in self._ended:
            return
        self._ended.add(name)
        state = f"failed: {reason}" if reason else ", ".join(filter(None, ("complete", details)))
        self._display.say(f"[{len(self._ended)}/{self._total}] {name}: {state}")
        self._display.show(len(self._ended), self._under_way)


class PlainDisplay:
    """Lines."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def say(self, text: str) -> None:
        print(text, flush=True)

    def show(self, ended: int, under_way: UnderWay) -> None:
        now = time.monotonic()
        if under_way and now - self._last >= PLAIN_SECONDS:
            self._last = now
            print(f"{ended} ended, {len(under_way)} under way:", flush=True)
            for name, place in under_way.items():
                print(f"  {name}: {place or 'starting'}", flush=True)


class BarDisplay:
    """One bar for all points, and one for each that is under way."""

    def __init__(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self.bars = Bars(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[place]}"), transient=True,
        )  # fmt: skip
        self._all = self.bars.add_task("points", total=total, place="")
        self._tasks: dict[str, Any] = {}

    def say(self, text: str) -> None:
        self.bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, ended: int, under_way: UnderWay) -> None:
        self.bars.update(self._all, completed=ended)
        for name in self._tasks.keys() - under_way.keys():
            self.bars.remove_task(self._tasks.pop(name))
        for name, place in under_way.items():
            if name not in self._tasks:
                self._tasks[name] = self.bars.add_task(name, total=None, place="starting")
            if place is not None:
                self.bars.update(
                    self._tasks[name], completed=place.done, total=place.total,
                    place=f"{place.what}, loss {place.loss:.4f}",
                )  # fmt: skip


@contextlib.contextmanager
def watch(total: int) -> Iterator[Watch]:
    """The fitting kind for where standard output goes."""
    if sys.stdout.isatty():
        display = BarDisplay(total)
        with display.bars:
            yield Watch(total, display)
    else:
        yield Watch(total, PlainDisplay())


def print_table(results: Sequence[Result]) -> None:
    """Every point with its status, final loss and seconds of training."""
    width = max(len("point"), *(len(result.point.name) for result in results))
    print(f"{'point':{width}}  {'status':11}  {'loss':>8}  {'seconds':>8}")
    for result in results:
        loss = "" if result.loss is None else f"{result.loss:.4f}"
        seconds = f"{result.seconds:.1f}" if result.seconds else ""
        print(f"{result.point.name:{width}}  {result.status:11}  {loss:>8}  {seconds:>8}".rstrip())
    sys.stdout.flush()
