"""Which points of a sweep are running and which have ended, from the messages of their children."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from experiments.sweeps.messages import Message


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
