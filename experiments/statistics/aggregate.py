"""One number over several tasks: the interquartile mean with a stratified bootstrap.

Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
precipice", and its library rliable, which gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from experiments.statistics.intervals import CONFIDENCE, Interval

Scores = NDArray[np.float64]  # [seeds, tasks]

RESAMPLES = 2_000  # as rliable does for curves


def interquartile_mean(scores: Scores) -> float:
    """The mean of the middle half of all scores, seeds and tasks together."""
    from scipy.stats import trim_mean

    return float(trim_mean(scores, 0.25, axis=None))


def stratified_interval(
    scores: Scores,
    statistic: Callable[[Scores], float] = interquartile_mean,
    lowest: float = -math.inf,
    highest: float = math.inf,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of scores with the percentile interval of a stratified bootstrap.

    The seeds of each task are resampled separately, so that every task keeps its weight.
    The random stream is NumPy's legacy one, so rliable gives the same ends after
    np.random.seed(0).
    """
    stream = np.random.RandomState(0)
    seeds, tasks = scores.shape
    rows = stream.randint(0, seeds, (resamples, seeds, tasks))
    found = [statistic(scores[row, np.arange(tasks)]) for row in rows]
    ends = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = np.clip(ends, lowest, highest)
    return Interval(float(statistic(scores)), float(low), float(high))
