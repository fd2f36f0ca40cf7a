"""The error signal beyond the lags that a pilot sees, by its geometric decay.

Source: Aicher, Foti & Fox 2019, "Adaptively Truncating Backpropagation Through Time to Control
Gradient Bias", section 3: φ_k = E‖∂L_t/∂h_{t−k}‖ decays at least geometrically from some lag on,
and the rate β is estimated by a regression of log φ_k on k.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FITTED = 1 / 3  # of the lags, the last ones
FEWEST = 3  # lags to fit a line to


class Tail(NamedTuple):
    """The part of the error signal beyond the last measured lag."""

    rate: float  # β: the factor from one lag to the next; 0 where nothing is left to decay
    beyond: float  # Σ φ_k over the lags that were not measured; infinite if β is at least 1


def no_tail(_signal: NDArray[np.float64]) -> Tail:
    """The tail of an example, before which there is nothing."""
    return Tail(0.0, 0.0)


def fit_tail(signal: NDArray[np.float64]) -> Tail:
    """The tail of an error signal, [lags].

    The line is fitted to the last third of the lags, of the fit and not of the last value the sum
    begins: Σ_{k≥K} φ_k = φ̂_K / (1 − β).
    """
    first = max(0, len(signal) - max(FEWEST, round(FITTED * len(signal))))
    lags = np.arange(first, len(signal))
    values = signal[first:]
    if len(values) < 2 or not (values > 0).all():  # an error of exactly 0 goes no further
        return Tail(0.0, 0.0)
    slope, start = np.polyfit(lags, np.log(values), 1)
    rate = math.exp(slope)
    if rate >= 1:
        return Tail(rate, math.inf)
    return Tail(rate, math.exp(start + slope * len(signal)) / (1 - rate))
