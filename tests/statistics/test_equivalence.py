"""Two one-sided tests against scipy.stats, and their error rate at the margin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.statistics import estimates
from experiments.statistics.equivalence import within, within_factor
from experiments.statistics.estimates import Estimate
from tests.statistics.rates import about, at_most, ends

VALUES = [0.01, -0.02, 0.015, 0.005, -0.01, 0.02]


def test_the_p_value_is_the_larger_of_two_one_sided_tests() -> None:
    above = stats.ttest_1samp(VALUES, -0.03, alternative="greater").pvalue
    below = stats.ttest_1samp(VALUES, 0.03, alternative="less").pvalue
    judged = within(estimates.mean(VALUES), 0.03)
    assert judged.p == pytest.approx(max(above, below))
    assert judged.verdict == "holds"
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(0.9)
    assert ends(judged.interval) == pytest.approx([expected.low, expected.high])
    assert judged.confidence == pytest.approx(0.9)


@given(
    st.builds(
        Estimate, st.floats(-5, 5), st.sampled_from([0.05, 0.5, 2.0]), st.sampled_from([2.0, 9.5])
    ),
    st.sampled_from([0.3, 1.0, 3.0]),
    st.sampled_from([-1.0, 0.0, 0.5]),
    st.sampled_from([0.05, 0.01]),
)
def test_the_verdict_is_what_the_interval_shows(
    estimate: Estimate, margin: float, center: float, level: float
) -> None:
    judged = within(estimate, margin, center, level)
    low, high = ends(judged.interval) - center
    if min(abs(abs(end) - margin) for end in (low, high)) < 1e-6:
        return  # p and interval may round to different sides
    inside, outside = -margin < low and high < margin, high < -margin or low > margin
    assert judged.verdict == ("holds" if inside else "fails" if outside else "undecided")
    assert (judged.p <= level) == (judged.verdict != "undecided")


def test_a_difference_that_is_not_significant_is_not_equality() -> None:
    judged = within(estimates.mean([0.5, -0.4, 0.1]), 0.05)
    assert judged.verdict == "undecided"


@pytest.mark.parametrize("truth", [0.05, -0.05])
def test_at_the_margin_each_verdict_comes_in_5_percent(truth: float) -> None:
    draws = np.random.default_rng(0).normal(truth, 0.02, [4000, 8])
    judged = [within(estimates.mean(draw), 0.05).verdict for draw in draws.tolist()]
    assert about(0.05, [verdict == "holds" for verdict in judged])
    assert about(0.05, [verdict == "fails" for verdict in judged])


def test_a_wide_spread_never_shows_equality() -> None:
    draws = np.random.default_rng(0).normal(0.05, 1, [2000, 4])
    judged = [within(estimates.mean(draw), 0.05).verdict for draw in draws.tolist()]
    assert at_most(0.05, [verdict == "holds" for verdict in judged])


def test_a_ratio_is_within_a_factor_by_its_logarithm() -> None:
    # 0.86 to 1.50 at 95 %: not significant, and equal within 1.5 by two one-sided tests.
    low, high, degrees = math.log(0.86), math.log(1.50), 9
    error = (high - low) / 2 / stats.t.ppf(0.975, degrees)
    judged = within_factor(Estimate((low + high) / 2, error, degrees), 1.5)
    assert judged.verdict == "holds"
    assert judged.p == pytest.approx(0.025, abs=0.001)
    assert judged.interval.mean == pytest.approx((0.86 * 1.50) ** 0.5)
    assert 0.86 < ends(judged.interval)[0] < ends(judged.interval)[1] < 1.5
