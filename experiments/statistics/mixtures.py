"""Losses with two modes: seeds that learned and seeds that did not.

For nine seeds at 0.52 and one at 0.65, Student's t gives a poor interval: without the tenth seed
it is far too narrow. The share of seeds that learned and the losses on either side of the
threshold are separate quantities, and each gets its own interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.statistics import estimates
from experiments.statistics.intervals import Interval, share_interval
from experiments.statistics.shares import exact_interval


class Mixture(NamedTuple):
    """Losses of seeds, divided by a threshold."""

    share: Interval  # of seeds that learned; Wilson's interval
    learned: Interval | None  # the mean loss of those that learned; None: no seed did
    others: Interval | None  # the mean loss of those that did not; None: all did
    mean: Interval  # of all seeds


class _Mode(NamedTuple):
    """The mean loss on one side of the threshold, with its interval."""

    mean: float
    low: float
    high: float


def mixture(losses: Sequence[float], threshold: float, lowest: float, highest: float) -> Mixture:
    """The share of losses below the threshold, the mean of either side, and the mean of all.

    `threshold` is the middle of two entropy floors, as for an onset. `lowest` and `highest` are
    the possible range: the floor of a model that knows everything, and the loss of one that
    learned nothing. No interval leaves this range unless a loss does.
    """
    values = np.asarray(losses, float)
    lowest, highest = min(lowest, float(values.min())), max(highest, float(values.max()))
    learned, others = values[values < threshold], values[values >= threshold]
    # The mean of a side without seeds is unknown; the far end is the conservative choice.
    below = _mode(learned, lowest, threshold, far=lowest)
    above = _mode(others, threshold, highest, far=highest)
    return Mixture(
        share_interval(len(learned), len(values)),
        Interval(*below) if len(learned) else None,
        Interval(*above) if len(others) else None,
        _mean(len(learned), len(values), below, above),
    )


def _mode(values: NDArray[np.float64], lowest: float, highest: float, far: float) -> _Mode:
    """Student's t interval, cut to one side of the threshold; the whole side for a single seed."""
    estimate = estimates.mean(values.tolist() or [far])
    low, high = np.clip(estimates.bounds(estimate), lowest, highest)
    return _Mode(estimate.value, float(low), float(high))


def _mean(learned: int, total: int, below: _Mode, above: _Mode) -> Interval:
    """The mean of all seeds, from the share and both modes.

    The distance to each end is the root of the summed squares of the shifts that the share and the
    two modes allow. Source: Zou & Donner 2008, "Construction of confidence limits about effect
    measures" (MOVER), with the exact interval of the share.
    """
    share = learned / total
    fewest, most = np.array(exact_interval(learned, total)[1:], float)
    gap = above.mean - below.mean
    mean = share * below.mean + (1 - share) * above.mean
    down = math.hypot(
        (most - share) * gap,
        share * (below.mean - below.low),
        (1 - share) * (above.mean - above.low),
    )
    up = math.hypot(
        (share - fewest) * gap,
        share * (below.high - below.mean),
        (1 - share) * (above.high - above.mean),
    )
    return Interval(mean, max(below.low, mean - down), min(above.high, mean + up))
