"""The interquartile mean with a stratified bootstrap: of one task, or one number over several.

Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
precipice", and its library rliable, which gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.statistics.intervals import CONFIDENCE, Interval

Scores = NDArray[np.float64]  # [..., seeds, tasks]; leading axes are resamples

RESAMPLES = 2_000  # as rliable does for curves
FEWEST = 4  # scores; of fewer, no quarter can be cut off at either end


def interquartile_mean(scores: Scores) -> NDArray[np.float64]:
    """The mean of the middle half of all scores, seeds and tasks together. Shape [...].

    A quarter is cut off at either end, rounded down. Equal to scipy.stats.trim_mean, which takes a
    second to import.
    """
    ordered = np.sort(scores.reshape(*scores.shape[:-2], -1))
    cut = ordered.shape[-1] // 4
    return np.asarray(ordered[..., cut : ordered.shape[-1] - cut].mean(-1))


def stratified_interval(
    scores: Scores,
    statistic: Callable[[Scores], ArrayLike] = interquartile_mean,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of scores, [seeds, tasks], with the interval of a stratified bootstrap.

    The seeds of each task are resampled separately, so that every task keeps its weight. The
    interval is the percentile one, which is narrow for few seeds. The random stream is NumPy's
    legacy one, so rliable gives the same ends after np.random.seed(0).
    """
    stream = np.random.RandomState(0)
    seeds, tasks = scores.shape
    rows = stream.randint(0, seeds, (resamples, seeds, tasks))
    found = np.asarray(statistic(scores[rows, np.arange(tasks)]))
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(statistic(scores)), float(low), float(high))  # type: ignore[arg-type]
