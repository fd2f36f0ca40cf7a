"""The tail of an error signal against sums of geometric series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.advice.tail import fit_tail


@pytest.mark.parametrize("rate", [0.3, 0.9, 0.99])
def test_a_geometric_signal_has_the_tail_of_its_series(rate: float) -> None:
    signal = np.asarray(2 * rate ** np.arange(30), np.float64)
    found = fit_tail(signal)
    whole = 2 / (1 - rate)
    assert found.rate == pytest.approx(rate)
    assert found.beyond == pytest.approx(whole - signal.sum())


def test_only_the_end_of_the_signal_decides() -> None:
    signal = np.concatenate([np.full(20, 5.0), 0.5 ** np.arange(10)])
    assert fit_tail(signal).rate == pytest.approx(0.5)


def test_noise_around_the_line_averages_out() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 90)
    assert fit_tail(np.exp(noise) * 0.9 ** np.arange(90)).rate == pytest.approx(0.9, abs=0.01)


def test_a_signal_that_does_not_decay_has_no_end() -> None:
    assert math.isinf(fit_tail(np.ones(12)).beyond)


def test_an_error_of_zero_goes_no_further() -> None:
    assert fit_tail(np.array([1.0, 0.5, 0.25, 0.0, 0.0, 0.0])).beyond == 0
    assert fit_tail(np.array([1.0])).beyond == 0
