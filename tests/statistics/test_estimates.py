"""experiments/statistics/estimates.py against scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import estimates
from experiments.statistics.estimates import Estimate
from tests.statistics.rates import ends

VALUES = [0.52, 0.61, 0.55, 0.58, 0.49]
OTHERS = [0.57, 0.66, 0.81]


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_the_interval_of_a_mean_is_students(confidence: float) -> None:
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(confidence)
    found = estimates.interval(estimates.mean(VALUES), confidence)
    assert ends(found) == pytest.approx([expected.low, expected.high])
    assert found.mean == pytest.approx(np.mean(VALUES))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_the_interval_of_a_difference_is_welchs(confidence: float) -> None:
    found = estimates.minus(estimates.mean(VALUES), estimates.mean(OTHERS))
    expected = stats.ttest_ind(VALUES, OTHERS, equal_var=False).confidence_interval(confidence)
    assert estimates.bounds(found, confidence) == pytest.approx([expected.low, expected.high])


@pytest.mark.parametrize("limit", [0.4, 0.5, 0.54, 0.7])
def test_p_values_are_those_of_the_t_test(limit: float) -> None:
    estimate = estimates.mean(VALUES)
    for ours, alternative in (
        (estimates.p_above, "greater"),
        (estimates.p_below, "less"),
        (estimates.p_differs, "two-sided"),
    ):
        expected = stats.ttest_1samp(VALUES, limit, alternative=alternative).pvalue
        assert ours(estimate, limit) == pytest.approx(expected)


def test_a_single_value_has_no_interval() -> None:
    alone = estimates.mean([0.5])
    assert np.isnan(ends(estimates.interval(alone))).all()
    assert estimates.bounds(alone) == (-math.inf, math.inf)
    assert estimates.p_differs(alone, 100) == 1
    beside = estimates.minus(estimates.mean(VALUES), alone)
    assert beside.value == pytest.approx(0.05)
    assert estimates.p_differs(beside) == 1


def test_without_spread_it_is_a_point() -> None:
    # The mean of three times 0.1 is not 0.1: rounding must not pass for a spread.
    exact = estimates.mean([0.1, 0.1, 0.1])
    assert exact == Estimate(0.1, 0, 2)
    assert estimates.p_differs(exact, 0.1) == 1
    assert estimates.p_above(exact, 0.09) == 0
    assert estimates.p_above(exact, 0.11) == 1
    difference = estimates.minus(exact, estimates.mean([0.2, 0.2]))
    assert ends(estimates.interval(difference)) == pytest.approx([-0.1, -0.1])


def test_an_interval_is_cut_to_the_possible_range() -> None:
    estimate = estimates.mean([0.01, 0.9, 0.02, 0.8])
    assert estimates.bounds(estimate)[0] < 0
    assert estimates.bounds(estimate)[1] > 1
    assert ends(estimates.interval(estimate, lowest=0, highest=1)).tolist() == [0, 1]


@pytest.mark.parametrize("other", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_never_left_out(other: float) -> None:
    for values in ([0.5, other], [other, 0.5], [other]):
        found = estimates.mean(values)
        assert math.isnan(found.value)
        assert math.isnan(estimates.p_differs(found, 100))
        assert estimates.interval(found)[1:] == (None, None)
