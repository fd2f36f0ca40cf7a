"""Rows of the table of a benchmark, and the comparison of two functions timed in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from experiments.training.timing import in_turn


class Measurement(NamedTuple):
    """One row of the table and of bench.json."""

    measure: str
    value: float | None  # of this program; None where it was not measured
    unit: str
    baseline: float | None  # in the same unit
    ratio: float | None  # median of the ratios of the pairs, in the direction of the target
    target: str  # empty if there is none; the reason where it was not measured
    met: bool | None


class Pair(NamedTuple):
    """The times of two functions timed in turn."""

    first: float  # median seconds
    second: float  # median seconds
    ratio: float  # second / first, median over the pairs


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
