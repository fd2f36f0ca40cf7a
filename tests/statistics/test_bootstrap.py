"""Bootstrap intervals against every resample there is, and their coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import bootstrap, estimates
from tests.statistics.rates import covers, ends, rate

VALUES = [0.52, 0.61, 0.55, 0.49, 0.72, 0.57]


@pytest.mark.parametrize(("count", "tolerance"), [(4, 1e-9), (5, 1e-9), (6, 0.05)])
def test_it_is_the_quantiles_of_all_resamples(count: int, tolerance: float) -> None:
    values = VALUES[:count]
    mean, error = np.mean(values), stats.sem(values)
    resamples = np.array(list(itertools.product(values, repeat=count)))
    several = np.ptp(resamples, axis=1) > 0
    distances = np.copysign(np.inf, resamples[:, 0] - mean)
    distances[several] = (resamples.mean(1)[several] - mean) / stats.sem(resamples[several], 1)
    far, near = np.quantile(distances, [0.975, 0.025], method="nearest")
    expected = [mean - far * error, mean - near * error]
    assert ends(bootstrap.studentized_interval(values, -np.inf)) == pytest.approx(
        expected, rel=tolerance
    )


def test_it_repeats() -> None:
    assert bootstrap.studentized_interval(VALUES) == bootstrap.studentized_interval(VALUES)


def coverage(draws: np.ndarray, truth: float, method: str) -> float:
    intervals = {
        "studentized": lambda values: bootstrap.studentized_interval(values, lowest=-np.inf),
        "t": lambda values: estimates.interval(estimates.mean(values)),
    }
    return rate(covers(intervals[method](values), truth) for values in draws.tolist())


def test_of_four_normal_values_it_covers() -> None:
    draws = np.random.default_rng(0).normal(3, 1, [200, 4])
    assert coverage(draws, 3, "studentized") > 0.9


def test_of_skewed_values_it_covers_more_often_than_students_t() -> None:
    draws = np.random.default_rng(1).lognormal(0, 1, [300, 8])
    truth = np.exp(0.5)
    studentized, students = coverage(draws, truth, "studentized"), coverage(draws, truth, "t")
    assert studentized > students + 0.03
    assert studentized > 0.85


def test_it_stays_in_the_possible_range() -> None:
    values = [0.01, 0.02, 0.9, 0.01, 0.015]
    free = ends(bootstrap.studentized_interval(values, lowest=-np.inf))
    assert free[0] < 0 or free[1] > 1
    low, high = ends(bootstrap.studentized_interval(values, lowest=0, highest=1))
    assert 0 <= low <= np.mean(values) <= high <= 1


def test_an_infinite_end_is_none_unless_the_range_has_one() -> None:
    values = [1.0, 1.0, 1.0, 9.0]
    assert np.isnan(ends(bootstrap.studentized_interval(values))).all()
    assert ends(bootstrap.studentized_interval(values, highest=10))[1] == 10


def test_few_values_have_no_interval_and_equal_ones_no_width() -> None:
    assert np.isnan(ends(bootstrap.studentized_interval([0.5, 0.6, 0.7]))).all()
    assert bootstrap.studentized_interval([0.5] * 5) == (0.5, 0.5, 0.5)


def test_it_is_advised_for_few_and_for_skewed_values() -> None:
    even = np.linspace(0, 1, 12).tolist()
    assert bootstrap.is_advised(even[:9])
    assert not bootstrap.is_advised(even)
    assert bootstrap.is_advised([*even[:11], 9])


def test_the_skewness_is_scipys() -> None:
    assert bootstrap.skewness(VALUES) == pytest.approx(stats.skew(VALUES, bias=False))
    assert bootstrap.skewness([1, 1, 1]) == 0
    assert bootstrap.skewness([1, 2]) == 0
