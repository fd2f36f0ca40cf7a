"""Time things in turn, so that a machine whose speed drifts is fair to both."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple


class Measurement(NamedTuple):
    """One row of the table and of bench.json."""

    measure: str
    value: float  # ours
    unit: str
    baseline: float | None  # the other side, in the same unit
    ratio: float | None  # median of the ratios of the pairs
    target: str  # what is asked for; empty where nothing is
    met: bool | None


class Pair(NamedTuple):
    """Two things timed in turn."""

    first: float  # median seconds
    second: float  # median seconds
    ratio: float  # second / first, median over the pairs


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> Pair:
    """Time two functions A B A B …, after one call of each that does not count."""
    first(), second()
    pairs = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return Pair(
        median(a for a, _ in pairs), median(b for _, b in pairs), median(b / a for a, b in pairs)
    )
