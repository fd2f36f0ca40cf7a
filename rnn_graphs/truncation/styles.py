"""Every style of truncation, one entry each: to add one is to add an entry.

Cell application s maps (h_{s−1}, x_s) to h_s with weights θ; L_t is the loss at t. Every
style estimates the gradient of the mean loss as

    ĝ = Σ_t Σ_s M[t,s] · (∂L_t/∂h_t)(∂h_t/∂h_s)(∂⁺h_s/∂θ)

and is told apart only by its credit matrix M, within one window of num_steps losses. An entry
gives M, the keys of the config that it takes, and the function of step.py that
computes ĝ. Imports no TensorFlow: a config is checked without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
Reached = NDArray[np.bool_]


class Style(NamedTuple):
    """What tells one style from another."""

    # (t, s, depth, stride) → where M is 1 among s ≤ t. t [losses, 1] and s [1, steps] count from
    # the window's first loss, s from below zero where there is context. depth is num_steps where
    # the config leaves it null. Of a random style, the mean of M.
    reached: Callable[[Steps, Steps, int, int], Reached]
    step: str  # the function that computes ĝ
    needs: tuple[str, ...] = ()  # keys that must be given
    takes: tuple[str, ...] = ()  # keys that may be left null
    context: bool = False  # whether errors may reach steps before the first loss


def _everything(t: Steps, s: Steps, _depth: int, _stride: int) -> Reached:
    return s <= t


def _same_block(t: Steps, s: Steps, depth: int, _stride: int) -> Reached:
    return np.asarray(s // depth == t // depth)


def _from_the_end_of_its_group(t: Steps, s: Steps, depth: int, stride: int) -> Reached:
    end = (t // stride + 1) * stride - 1
    return s > end - depth


STYLES: dict[str, Style] = {
    "full": Style(_everything, "full"),
    # Williams & Peng 1990: epochwise BPTT(depth; depth).
    "tf_style": Style(_same_block, "tf_style", takes=("depth",)),
    # BPTT(depth) = BPTT(depth; 1): each error on its own.
    "true_bptt": Style(_from_the_end_of_its_group, "windowed", needs=("depth",), context=True),
    # BPTT(depth; stride): errors in groups of stride.
    "williams_peng": Style(
        _from_the_end_of_its_group, "windowed", needs=("depth", "stride"), context=True
    ),
    # Tallec & Ollivier 2017, section 3: M is the product over the boundaries between s and t of
    # 0 with chance c, else 1/(1−c).
    "artbp": Style(_everything, "artbp", needs=("cut_probability",)),
}
KEYS = ("depth", "stride", "cut_probability")


def kinds_with(key: str) -> str:
    """The styles that take a key of the config, to be read by a person."""
    return ", ".join(kind for kind, style in STYLES.items() if key in (*style.needs, *style.takes))
