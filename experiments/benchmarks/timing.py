"""Time functions in turn, so that a drift in the machine's speed affects all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

Clock = Callable[[], float]


class Measurement(NamedTuple):
    """One row of the table and of bench.json."""

    measure: str
    value: float  # of this program
    unit: str
    baseline: float | None  # in the same unit
    ratio: float | None  # median of the ratios of the pairs, in the direction of the target
    target: str  # empty if there is none
    met: bool | None


class Pair(NamedTuple):
    """The times of two functions timed in turn."""

    first: float  # median seconds
    second: float  # median seconds
    ratio: float  # second / first, median over the pairs


def seconds(function: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """The seconds that one call takes."""
    began = clock()
    function()
    return clock() - began


def in_turn(
    functions: Sequence[Callable[[], object]], rounds: int, clock: Clock = time.perf_counter
) -> list[list[float]]:
    """Time functions A B C A B C …, after an untimed first call of each.

    Returns the seconds of each function, by round.
    """
    for function in functions:
        function()
    table = [[seconds(function, clock) for function in functions] for _ in range(rounds)]
    return [list(column) for column in zip(*table, strict=True)]


def alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> Pair:
    """Time two functions A B A B …, after an untimed first call of each."""
    return compare(*in_turn([first, second], rounds))


def compare(first: Sequence[float], second: Sequence[float]) -> Pair:
    """The pair of two functions timed in the same rounds."""
    ratio = median(b / a for a, b in zip(first, second, strict=True))
    return Pair(median(first), median(second), ratio)


def at_least(name: str, pair: Pair, scale: float, unit: str, times: float) -> Measurement:
    """A row whose target is that the second function takes at least `times` as long."""
    return Measurement(
        name, pair.first * scale, unit, pair.second * scale, pair.ratio,
        f"at least {times:g} times faster", pair.ratio >= times,
    )  # fmt: skip


def at_most(name: str, pair: Pair, scale: float, unit: str, times: float) -> Measurement:
    """A row whose target is that the first function takes at most `times` as long."""
    ratio = 1 / pair.ratio
    return Measurement(
        name, pair.first * scale, unit, pair.second * scale, ratio,
        f"at most {times:g} times as long", ratio <= times,
    )  # fmt: skip
