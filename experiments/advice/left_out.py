"""The share of the error signal that a setting leaves out: a bound of the bias of its gradient.

A style's gradient is ĝ = Σ_t Σ_s M[t, s] G[t, s], where G[t, s] is the part of the gradient that
flows from the loss at t to the weights at s. On average over places in the sequence, only the lag
t − s matters: lag k keeps the share w_k, the mean of M[t, t − k] over the losses. The bias is at
most Σ_k (1 − w_k) ‖G_k‖, and ‖G_k‖ at most φ_k times the largest ‖∂⁺h/∂θ‖, which cancels in the
ratio to the same bound of the whole gradient:

    left out = (Σ_k (1 − w_k) φ_k + tail) / (Σ_k φ_k + tail)

Source: Aicher, Foti & Fox 2019, section 3, there for one depth. It is the relative bias itself
where the errors of all lags point the same way.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from experiments.advice.settings import Setting
from experiments.advice.tail import Tail
from rnn_graphs.truncation.credit import definition


def kept(
    setting: Setting, lags: int, losses: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """w_k, [lags]: the share of the errors at each lag that the setting keeps.

    `losses` [num_steps] is how often each step of an example has a loss; a lag that would begin
    before the example does not count. None: every step has one, and rows go on before the window.
    """
    credit = definition(setting.truncation, setting.num_steps)
    context = setting.truncation.context_steps
    whole = losses is None
    weights = np.ones(setting.num_steps) if losses is None else losses
    shares = np.ones(lags)
    for lag in range(lags):
        t = np.arange(setting.num_steps)
        s = context + t - lag
        there = s >= 0
        counted = weights if whole else weights * there
        if counted.sum():
            reached = credit[t[there], s[there]]
            shares[lag] = (weights[there] * reached).sum() / counted.sum()
    return shares


def left_out(signal: NDArray[np.float64], shares: NDArray[np.float64], tail: Tail) -> float:
    """The share left out, in [0, 1], of an error signal φ [lags]; `shares` [lags] are kept."""
    if math.isinf(tail.beyond):
        return 1.0
    total = float(signal.sum()) + tail.beyond
    return float(((1 - shares) * signal).sum() + tail.beyond) / total if total else 0.0
