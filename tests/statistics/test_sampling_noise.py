"""The noise of a mean loss against sums over outcomes and long sequences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from experiments.statistics.sampling_noise import (
    Table,
    binary_loss_variance,
    noise_band,
)
from tests.statistics.rates import about, ends, rate

# The blog's task: P(y = 1) is 0.5, + 0.5 where x[t-3] is 1, - 0.25 where x[t-8] is 1.
TRUTH = np.array([[0.5, 0.25], [1.0, 0.75]])
LAGS = (3, 8)
LAG_3_KNOWN = np.broadcast_to(TRUTH.mean(1, keepdims=True), (2, 2))
RISING = np.linspace(0.05, 0.95, 8).reshape(2, 2, 2)  # by lags 1, 2 and 3


@pytest.mark.parametrize("chance", [0, 0.1, 0.25, 0.5, 0.9, 1])
def test_the_variance_of_a_surprisal_is_that_over_both_outcomes(chance: float) -> None:
    outcomes = [(p, -np.log(p)) for p in (chance, 1 - chance) if p > 0]
    mean = sum(p * loss for p, loss in outcomes)
    expected = sum(p * (loss - mean) ** 2 for p, loss in outcomes)
    alone = np.full(2, chance)
    assert binary_loss_variance([0], alone, alone) == pytest.approx(expected)


def test_the_band_is_the_central_limit_theorems() -> None:
    found = noise_band(0.5192, 0.2, 200_000)
    low, high = stats.norm.interval(0.95, 0.5192, (0.2 / 200_000) ** 0.5)
    assert ends(found) == pytest.approx([low, high])
    assert found.mean == 0.5192
    assert ends(noise_band(0.01, 1, 4))[0] == 0


def mean_losses(
    lags: tuple[int, ...], truth: Table, model: Table, sequences: int, size: int
) -> NDArray[np.float64]:
    """Mean losses of the model over sequences of `size` symbols. Shape [sequences]."""
    rng = np.random.default_rng(0)
    longest = max(lags)
    inputs = rng.integers(0, 2, [sequences, size + longest], dtype=np.int8)
    lagged = tuple(inputs[:, longest - lag : longest - lag + size] for lag in lags)
    labels = rng.random([sequences, size]) < truth[lagged]
    chances = np.where(labels, model[lagged], 1 - model[lagged])
    losses: NDArray[np.float64] = -np.log(chances).mean(1)
    return losses


@pytest.mark.parametrize(
    ("lags", "truth", "model"),
    [
        (LAGS, TRUTH, TRUTH),
        (LAGS, TRUTH, LAG_3_KNOWN),
        (LAGS[::-1], TRUTH.T, TRUTH.T),
        ((1, 2, 3), RISING, np.full([2, 2, 2], 0.6)),
        ((1, 2, 3), RISING, RISING),
    ],
    ids=["ideal", "lag 3 known", "lags descend", "lags overlap, wrong model", "lags overlap"],
)
def test_the_variance_is_that_of_long_sequences(
    lags: tuple[int, ...], truth: Table, model: Table
) -> None:
    size = 1000
    means = mean_losses(lags, truth, model, 2500, size)
    found = binary_loss_variance(lags, truth, model)
    assert size * means.var() == pytest.approx(found, rel=0.1)


def test_without_covariances_the_band_of_the_blogs_task_would_be_too_wide() -> None:
    chances = TRUTH.ravel()
    within = np.mean([binary_loss_variance([0], *[np.full(2, each)] * 2) for each in chances])
    entropies = stats.entropy([chances, 1 - chances])
    alone = within + entropies.var()
    assert binary_loss_variance(LAGS, TRUTH, TRUTH) < 0.85 * alone


def test_a_mean_loss_is_in_the_band_19_times_in_20() -> None:
    size = 500
    means = mean_losses(LAGS, TRUTH, TRUTH, 3000, size)
    floor = float(stats.entropy([TRUTH.ravel(), 1 - TRUTH.ravel()]).mean())
    low, high = ends(noise_band(floor, binary_loss_variance(LAGS, TRUTH, TRUTH), size))
    assert about(0.95, (low <= means) & (means <= high))
    assert rate(means < floor) == pytest.approx(0.5, abs=0.05)
