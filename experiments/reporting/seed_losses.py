"""The losses of a run's seeds in intervals: Student's t, what stands beside it, and two modes.

docs/statistics.md says which interval is shown when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.runs.onset import halfway
from experiments.statistics import aggregate, bootstrap, estimates
from experiments.statistics.intervals import Interval
from experiments.statistics.mixtures import Mixture, mixture

# For the captions of tables.
INTERVALS = (
    "Intervals are Student's t. Bootstrap: the studentized interval beside it, for fewer than ten "
    "seeds or skewed values. Either side of the middle: where some seeds end below the middle of "
    "the floors and others above it, how many and their means; the interval of all is that of the "
    "mixture. Interquartile mean: the mean of the middle half of four seeds or more, with the "
    "bootstrap interval of rliable, which is narrow for few seeds."
)


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
    found = modes_of(values, floors)
    if found:
        return found.parts.mean
    return estimates.interval(estimates.mean(values), lowest=_lowest(values))


def _lowest(values: Sequence[float]) -> float:
    return 0.0 if min(values) >= 0 else float("-inf")


def seed_losses(values: Sequence[float], floors: Mapping[str, float]) -> SeedLosses:
    """Intervals of losses, or of another metric if `floors` is empty. `values` is not empty."""
    lowest, beside, middle = _lowest(values), None, None
    if bootstrap.is_advised(values):
        least = min(floors.values(), default=lowest)  # of any model, if no loss is below it
        least = least if min(values) >= least else lowest
        beside = bootstrap.studentized_interval(values, lowest=least)
    if len(values) >= aggregate.FEWEST:
        middle = aggregate.stratified_interval(np.array(values)[:, None])
    return SeedLosses(
        mean_over_seeds(values, floors), beside if beside and beside.low is not None else None,
        modes_of(values, floors), middle,
    )  # fmt: skip


def modes_of(values: Sequence[float], floors: Mapping[str, float]) -> Modes | None:
    """The seeds below the middle of the floors and the others; None unless there are both."""
    if len(set(floors.values())) < 2:
        return None
    threshold = halfway(floors)
    below = sum(value < threshold for value in values)
    if below in (0, len(values)):
        return None
    parts = mixture(values, threshold, min(floors.values()), max(floors.values()))
    return Modes(threshold, below, len(values), parts)


def in_words(modes: Modes) -> str:
    """The share of the seeds that learned, and the mean loss on either side and of all."""
    parts = modes.parts
    assert parts.learned
    assert parts.others
    _, low, high = parts.share
    return (
        f"{modes.below} of {modes.seeds} seeds end below the middle of the floors, "
        f"{modes.threshold:.4g} (share {low:.2f} to {high:.2f}), at {with_ends(parts.learned)}, "
        f"the others at {with_ends(parts.others)}, all at {with_ends(parts.mean)}"
    )


def in_short(modes: Modes | None) -> str:
    """The seeds on either side and their mean losses, "4 at 0.4713, 1 at 0.6531"; or nothing."""
    if modes is None:
        return ""
    parts = modes.parts
    assert parts.learned
    assert parts.others
    others = modes.seeds - modes.below
    return f"{modes.below} at {parts.learned.mean:.4f}, {others} at {parts.others.mean:.4f}"


def ends(interval: Interval | None) -> str:
    """An interval without its mean: "0.4000 to 0.4200"; empty where there is none."""
    if interval is None or interval.low is None:
        return ""
    return f"{interval.low:.4f} to {interval.high:.4f}"


def with_ends(interval: Interval | None) -> str:
    """A mean with its interval, "0.4100 (0.4000 to 0.4200)"; empty where there is none."""
    if interval is None:
        return ""
    return f"{interval.mean:.4f} ({ends(interval)})" if ends(interval) else f"{interval.mean:.4f}"
