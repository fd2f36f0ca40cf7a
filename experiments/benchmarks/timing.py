"""Time things in turn, so that a machine whose speed drifts is fair to both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

Clock = Callable[[], float]


class Measurement(NamedTuple):
    """One row of the table and of bench.json."""

    measure: str
    value: float  # ours
    unit: str
    baseline: float | None  # the other side, in the same unit
    ratio: float | None  # median of the ratios of the pairs, as the target counts it
    target: str  # what is asked for; empty where nothing is
    met: bool | None


class Pair(NamedTuple):
    """Two things timed in turn."""

    first: float  # median seconds
    second: float  # median seconds
    ratio: float  # second / first, median over the pairs


def seconds(function: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """How long one call takes."""
    began = clock()
    function()
    return clock() - began


def in_turn(
    functions: Sequence[Callable[[], object]], rounds: int, clock: Clock = time.perf_counter
) -> list[list[float]]:
    """Time functions A B C A B C …, after one call of each that does not count.

    Returns the seconds of each function, by round.
    """
    for function in functions:
        function()
    table = [[seconds(function, clock) for function in functions] for _ in range(rounds)]
    return [list(column) for column in zip(*table, strict=True)]


def alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> Pair:
    """Time two functions A B A B …, after one call of each that does not count."""
    return compare(*in_turn([first, second], rounds))


def compare(first: Sequence[float], second: Sequence[float]) -> Pair:
    """Two things timed in the same rounds."""
    ratio = median(b / a for a, b in zip(first, second, strict=True))
    return Pair(median(first), median(second), ratio)


def at_least(name: str, pair: Pair, scale: float, unit: str, times: float) -> Measurement:
    """A row that asks for the second of a pair to take this many times the first."""
    return Measurement(
        name, pair.first * scale, unit, pair.second * scale, pair.ratio,
        f"at least {times:g} times faster", pair.ratio >= times,
    )  # fmt: skip


def at_most(name: str, pair: Pair, scale: float, unit: str, times: float) -> Measurement:
    """A row that allows the first of a pair this many times the second."""
    ratio = 1 / pair.ratio
    return Measurement(
        name, pair.first * scale, unit, pair.second * scale, ratio,
        f"at most {times:g} times as long", ratio <= times,
    )  # fmt: skip
