"""The band of sampling noise around a mean loss over N symbols.

A mean loss of 0.5184 below an entropy floor of 0.5192 is not an error: the floor is a mean over all
possible sequences, and a single sequence may be easier than average.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, xlog1py, xlogy

from experiments.statistics.intervals import CONFIDENCE, Interval

Table = NDArray[np.float64]  # P(y = 1) by the lagged inputs; shape [2, 2, ...], an axis a lag


def noise_band(
    floor: float, variance: float, symbols: int, confidence: float = CONFIDENCE
) -> Interval:
    """The interval of a mean loss over `symbols` for a model at the floor: floor ± z sqrt(v / N).

    `variance` is that of the loss of a single symbol, in nats squared. Where losses depend on each
    other, it includes twice the covariances with later losses: see `binary_loss_variance`.
    """
    half = float(ndtri((1 + confidence) / 2)) * (variance / symbols) ** 0.5
    return Interval(floor, max(0.0, floor - half), floor + half)


def binary_loss_variance(lags: Sequence[int], truth: Table, model: Table) -> float:
    """The variance that a symbol adds to a sum of losses, for y that depends on lagged fair bits.

    truth[b_1, b_2, ...] is P(y_t = 1) given that x_{t - lags[i]} is b_i. `model` holds the
    probabilities of the model: `truth` itself for the ideal model; for a floor, `truth` averaged
    over the axes that the model does not know. Losses whose lagged inputs overlap depend on each
    other: the input at lag 3 now is at lag 8 five steps later. Their covariances count twice
    (central limit theorem for m-dependent sequences, Hoeffding & Robbins 1948). Exact.
    """
    order = np.argsort(lags)
    truth, model = truth.transpose(order), model.transpose(order)
    expected = -xlogy(truth, model) - xlog1py(1 - truth, -model)  # loss, given the bits
    deviation = (truth * (1 - truth)) ** 0.5
    given_bits = (xlogy(deviation, model) - xlog1py(deviation, -model)) ** 2
    later = [_covariance(sorted(lags), expected, steps) for steps in _distances(lags)]
    return float(given_bits.mean() + expected.var() + 2 * sum(later))


def _distances(lags: Sequence[int]) -> set[int]:
    """The numbers of time steps after which an input is read again."""
    return {abs(one - other) for one, other in itertools.combinations(lags, 2)}


def _covariance(lags: Sequence[int], expected: Table, steps: int) -> float:
    """The covariance of the expected losses `steps` apart, over the inputs that both read.

    `lags` are ascending. The input at lag a of the earlier loss is at lag a + steps of the later.
    """
    others = [index for index, lag in enumerate(lags) if lag + steps not in lags]
    laters = [index for index, lag in enumerate(lags) if lag - steps not in lags]
    now, later = expected.mean(tuple(others)), expected.mean(tuple(laters))
    return float((now * later).mean() - expected.mean() ** 2)
