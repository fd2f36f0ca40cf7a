"""The relative bias of a setting's gradient, bounded by the error signal that it changes.

A style's gradient is ĝ = Σ_t Σ_s M[t, s] G[t, s], where G[t, s] is the part of the gradient that
flows from the loss at t to the weights at s. On average over places in the sequence, only the lag
k = t − s matters: it keeps the share w_k, the mean of M[t, t − k] over the losses. ‖G_k‖ is at most
φ_k = E‖∂L_t/∂h_{t−k}‖ times the largest ‖∂⁺h/∂θ‖, which cancels in the ratio of the bounds:

    bias = min_c (Σ_k |1 − c w_k| φ_k + tail) / (Σ_k φ_k + tail)

A constant factor c of the gradient is a change of the learning rate, which Adam ignores, so it is
no bias. What is left is a change of direction.

Source: Aicher, Foti & Fox 2019, section 3, there for w_k = 1 up to a depth and 0 beyond it. It is
the relative bias itself where the errors of all lags point the same way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.advice.settings import Setting
from experiments.advice.tail import Tail


class Kept(NamedTuple):
    """The shares of the errors that a setting keeps."""

    shares: NDArray[np.float64]  # w_k, [lags]
    beyond: float  # of all later lags


def whole(lags: int) -> Kept:
    """Everything up to these lags, and nothing beyond them."""
    return Kept(np.ones(lags), 0.0)


def kept(setting: Setting, lags: int, losses: NDArray[np.float64] | None = None) -> Kept:
    """The mean over the losses of an update of what the setting keeps of their errors.

    `losses` [num_steps] is how often each step of an example has a loss; a lag that would begin
    before the example does not count. None: every step has one, and rows go on before the window.
    """
    truncation, num_steps = setting.truncation, setting.num_steps
    t, lag = np.arange(num_steps)[:, None], np.arange(lags)[None, :]
    s = t - lag
    in_graph = s >= (-np.inf if truncation.carries else -truncation.context_steps)
    credit = np.where(in_graph, truncation.style.credit(t, s, truncation, num_steps), 0.0)
    weights = np.ones((num_steps, 1)) if losses is None else losses[:, None]
    counted = weights * (np.ones(lags) if losses is None else s >= 0)
    counts = counted.sum(0)
    sums = (counted * credit).sum(0)
    shares = np.divide(sums, counts, out=np.ones(lags), where=counts > 0)
    return Kept(shares, float(shares[-1]) if truncation.carries else 0.0)


def relative_bias(signal: NDArray[np.float64], tail: Tail, of: Kept) -> float:
    """The bias, in [0, 1], of what is kept of an error signal φ [lags] with this tail."""
    if math.isinf(tail.beyond):
        return 0.0 if of.beyond == 1 and (of.shares == 1).all() else 1.0
    sizes, shares = np.append(signal, tail.beyond), np.append(of.shares, of.beyond)
    total = float(sizes.sum())
    if not total:
        return 0.0
    # The sum is piecewise linear in c, so it is least at one of its corners.
    factors = np.append(1 / shares[shares > 0], 0.0)
    sums = np.abs(1 - factors[:, None] * shares) @ sizes
    return float(sums.min()) / total
