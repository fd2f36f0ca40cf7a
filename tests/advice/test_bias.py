"""The relative bias of a setting, against sums on paper and against real gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from experiments.advice.bias import Kept, kept, relative_bias
from experiments.advice.settings import Setting
from experiments.advice.tail import Tail
from rnn_graphs.config import TruncationConfig

NONE = Tail(0.0, 0.0)


def setting(num_steps: int, kind: str, **keys: Any) -> Setting:
    return Setting(num_steps, TruncationConfig(kind=kind, **keys))


def test_a_narrow_graph_keeps_lag_k_for_all_but_its_first_k_losses() -> None:
    shares, beyond = kept(setting(4, "tf_style"), 6)
    np.testing.assert_allclose(shares, [1, 3 / 4, 1 / 2, 1 / 4, 0, 0])
    assert beyond == 0


def test_true_truncation_with_context_keeps_every_lag_below_its_depth() -> None:
    shares, _ = kept(setting(3, "true_bptt", depth=4, context=True), 6)
    np.testing.assert_array_equal(shares, [1, 1, 1, 1, 0, 0])


def test_williams_and_peng_keep_all_below_half_their_depth() -> None:
    """BPTT(8; 4): the errors of a group reach 5, 6, 7 and 8 cell applications."""
    shares, _ = kept(setting(4, "williams_peng", depth=8, stride=4, context=True), 9)
    np.testing.assert_allclose(shares, [1, 1, 1, 1, 1, 3 / 4, 1 / 2, 1 / 4, 0])


def test_a_style_that_chooses_its_depth_is_judged_at_the_largest() -> None:
    """BPTT(2K − 1; K) with K = 5."""
    adaptive = kept(setting(10, "adaptive", tolerance=0.5, least=1, most=5), 12)
    fixed = kept(setting(5, "williams_peng", depth=9, stride=5, context=True), 12)
    np.testing.assert_allclose(adaptive.shares, fixed.shares)


def test_the_last_loss_of_an_example_counts_alone() -> None:
    last = np.array([0.0, 0, 0, 1])
    blocks = kept(setting(4, "tf_style", depth=2), 4, last).shares
    np.testing.assert_array_equal(blocks, [1, 1, 0, 0])
    np.testing.assert_array_equal(kept(setting(4, "full"), 4, last).shares, 1)


def test_what_would_begin_before_an_example_is_not_left_out() -> None:
    every = np.ones(3)
    np.testing.assert_array_equal(kept(setting(3, "full"), 5, every).shares, 1)


@pytest.mark.parametrize("kind", ["rtrl", "uoro", "kf_rtrl"])
def test_forward_mode_keeps_every_lag(kind: str) -> None:
    """Its credit goes back to the start of the sequence, so it has no bias, whatever the width."""
    found = kept(setting(1, kind), 6)
    np.testing.assert_array_equal(found.shares, 1)
    assert found.beyond == 1
    signal = np.ones(6)
    assert relative_bias(signal, Tail(0.9, 10.0), found) == 0
    assert relative_bias(signal, Tail(1.0, math.inf), found) == 0


def test_a_constant_factor_is_no_bias() -> None:
    signal = np.array([4.0, 2, 1])
    assert relative_bias(signal, NONE, Kept(np.full(3, 0.3), 0)) == pytest.approx(0)
    assert relative_bias(signal, NONE, Kept(np.zeros(3), 0)) == 1


def test_the_bias_is_that_of_the_sums() -> None:
    """With c = 1 it is (2 × 0.5 + 1) / 7; no other factor has less."""
    signal, found = np.array([4.0, 2, 1]), Kept(np.array([1, 0.5, 0]), 0.0)
    assert relative_bias(signal, NONE, found) == pytest.approx(2 / 7)
    assert relative_bias(signal, Tail(0.5, 1.0), found) == pytest.approx(3 / 8)
    assert relative_bias(signal, Tail(1.0, math.inf), found) == 1


def test_no_factor_has_less_bias() -> None:
    signal = np.random.default_rng(0).uniform(0, 1, 20)
    found, tail = kept(setting(15, "tf_style"), 20), Tail(0.5, 0.3)
    sums = [np.abs(1 - c * found.shares) @ signal + tail.beyond for c in np.linspace(0, 20, 20_001)]
    whole = signal.sum() + tail.beyond
    assert relative_bias(signal, tail, found) == pytest.approx(min(sums) / whole, rel=1e-3)


@pytest.mark.parametrize(
    "chosen",
    [
        setting(6, "tf_style"),
        setting(4, "true_bptt", depth=5, context=True),
        setting(3, "williams_peng", depth=6, stride=3, context=True),
    ],
)
def test_it_is_the_share_that_a_linear_cell_loses(chosen: Setting) -> None:
    """h_s = a h_{s−1} + w, L_t = h_t: ∂L_t/∂w = Σ_k a^k in the long run, of which a style keeps M.

    The gradient is taken by the credit matrix, one loss and one step at a time. Most of it is at
    lag 0, which a style keeps, so no other factor than 1 is better.
    """
    a, lags = 0.4, 60
    t = np.arange(chosen.num_steps)[:, None]
    s = np.arange(-chosen.truncation.context_steps, chosen.num_steps)[None, :]
    credit = chosen.truncation.style.credit(t, s, chosen.truncation, chosen.num_steps)
    terms = np.where(s <= t, credit * a ** np.maximum(t - s, 0.0), 0)
    gradient, whole = terms.sum() / chosen.num_steps, 1 / (1 - a)
    signal = np.asarray(a ** np.arange(lags), np.float64)
    tail = Tail(a, a**lags / (1 - a))
    found = relative_bias(signal, tail, kept(chosen, lags))
    assert found == pytest.approx(1 - gradient / whole)
