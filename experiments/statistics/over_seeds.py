"""The losses of a run's seeds in intervals: Student's t, what stands beside it, and two modes.

docs/statistics.md says which interval is shown when.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.statistics import aggregate, bootstrap, estimates
from experiments.statistics.floors import middle
from experiments.statistics.intervals import Interval
from experiments.statistics.mixtures import Mixture, mixture


class Modes(NamedTuple):
    """Seeds on both sides of the middle of the floors."""

    threshold: float  # the middle of the floors
    below: int  # seeds that learned
    seeds: int
    parts: Mixture


class SeedLosses(NamedTuple):
    """Intervals of the mean over seeds, and of its parts."""

    mean: Interval  # of all seeds: Student's t, or that of the mixture if there are two modes
    bootstrap: Interval | None  # None: Student's t needs none beside it, or there are too few seeds
    modes: Modes | None  # None: all seeds are on one side of the middle of the floors
    interquartile: Interval | None  # the interquartile mean; None: fewer than four seeds


def mean_over_seeds(values: Sequence[float], floors: Mapping[str, float]) -> Interval:
    """The mean alone, of `seed_losses`."""
    return _mean(values, modes_of(values, floors), math.inf)


def _mean(values: Sequence[float], modes: Modes | None, highest: float) -> Interval:
    if modes:
        return modes.parts.mean
    return estimates.interval(estimates.mean(values), lowest=_lowest(values), highest=highest)


def _lowest(values: Sequence[float]) -> float:
    return 0.0 if min(values) >= 0 else float("-inf")


def seed_losses(
    values: Sequence[float], floors: Mapping[str, float], highest: float = math.inf
) -> SeedLosses:
    """Intervals of losses, or of another metric if `floors` is empty. `values` is not empty.

    `highest` is the greatest value that is possible.
    """
    modes, lowest = modes_of(values, floors), _lowest(values)
    beside, interquartile = None, None
    if bootstrap.is_advised(values):
        least = min(floors.values(), default=lowest)  # of any model, if no loss is below it
        least = least if min(values) >= least else lowest
        beside = bootstrap.studentized_interval(values, lowest=least, highest=highest)
    if len(values) >= aggregate.FEWEST:
        interquartile = aggregate.stratified_interval(np.array(values)[:, None])
    return SeedLosses(
        _mean(values, modes, highest),
        beside if beside and beside.low is not None else None,
        modes,
        interquartile,
    )


def modes_of(values: Sequence[float], floors: Mapping[str, float]) -> Modes | None:
    """The seeds below the middle of the floors and the others; None unless there are both."""
    threshold = middle(floors)
    if threshold is None or not np.isfinite(values).all():
        return None
    below = sum(value < threshold for value in values)
    if below in (0, len(values)):
        return None
    parts = mixture(values, threshold, min(floors.values()), max(floors.values()))
    return Modes(threshold, below, len(values), parts)
