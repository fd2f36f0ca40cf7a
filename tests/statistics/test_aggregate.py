"""Numbers that rliable 1.2.0 prints, to 1e-6."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import trim_mean

from experiments.statistics.aggregate import Scores, interquartile_mean, stratified_interval
from tests.statistics.rates import covers, ends, rate

SCORES = np.array(
    [
        [1.78, 0.68, 0.344],
        [0.055, 0.234, 0.593],
        [0.399, 0.193, 0.711],
        [0.97, 0.509, 0.742],
        [0.432, 1.686, 0.411],
    ]
)


def mean(scores: Scores) -> NDArray[np.float64]:
    return np.asarray(scores.mean((-2, -1)))


def test_the_interquartile_mean_is_rliables() -> None:
    # rliable.metrics.aggregate_iqm
    assert interquartile_mean(SCORES) == pytest.approx(0.5356666666666666, abs=1e-6)
    # By hand: 3 of 15 scores are cut at either end.
    assert interquartile_mean(SCORES) == pytest.approx(np.sort(SCORES.ravel())[3:-3].mean())


@pytest.mark.parametrize("seeds", range(4, 12))
def test_a_quarter_of_the_scores_is_cut_off_at_either_end(seeds: int) -> None:
    scores = np.random.default_rng(seeds).normal(size=(7, seeds, 1))
    expected = trim_mean(scores[:, :, 0], 0.25, axis=1)
    np.testing.assert_allclose(interquartile_mean(scores), expected, rtol=0, atol=1e-12)


def test_the_interval_is_rliables() -> None:
    # np.random.seed(0); rliable.library.get_interval_estimates(..., aggregate_iqm, reps=2000)
    found = stratified_interval(SCORES)
    assert found.mean == pytest.approx(0.53566667, abs=1e-6)
    assert ends(found) == pytest.approx([0.38433056, 0.819125], abs=1e-6)
    # ... aggregate_mean
    of_mean = stratified_interval(SCORES, mean)
    assert of_mean.mean == pytest.approx(0.64926667, abs=1e-6)
    assert ends(of_mean) == pytest.approx([0.43519333, 0.89749833], abs=1e-6)


def test_tasks_keep_their_weight() -> None:
    # Two tasks without spread: resampling across tasks would mix them.
    found = stratified_interval(np.array([[0.0, 1.0]] * 4), mean)
    assert found == (0.5, 0.5, 0.5)


def test_of_four_seeds_it_covers_less_than_students_t() -> None:
    draws = np.random.default_rng(0).normal(size=[400, 4, 1])
    covered = [covers(stratified_interval(scores, resamples=400), 0) for scores in draws]
    assert rate(covered) == pytest.approx(0.89, abs=0.04)


def test_its_coverage_grows_with_seeds() -> None:
    # A percentile interval is narrow for few seeds; of 10 seeds and 4 tasks it is near 95 %.
    draws = np.random.default_rng(0).normal([0, 1, 2, 3], 1, [200, 10, 4])
    covered = [covers(stratified_interval(scores, mean, resamples=400), 1.5) for scores in draws]
    assert 0.88 < rate(covered) < 0.99
