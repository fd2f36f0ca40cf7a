"""Verdicts of differences: what is read from an interval, and how often it is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.statistics import equivalence, estimates, verdicts
from experiments.statistics.estimates import Estimate
from experiments.statistics.paired import paired_log_ratio
from tests.statistics.rates import about, at_most, by_seed, ends

ESTIMATES = st.builds(
    Estimate,
    st.floats(-10, 10),
    st.sampled_from([0.01, 0.5, 1.0, 7.0]),
    st.sampled_from([1.0, 3.0, 8.5, 40.0]),
)
LEVELS = st.sampled_from([0.05, 0.01, 0.2])


@given(ESTIMATES, st.floats(-10, 10), LEVELS)
def test_a_verdict_is_what_the_interval_shows(
    estimate: Estimate, limit: float, level: float
) -> None:
    judged = verdicts.below(estimate, limit, level)
    low, high = ends(judged.interval)
    if min(abs(low - limit), abs(high - limit)) < 1e-6:
        return  # p and interval may round to different sides
    expected = "holds" if high < limit else "fails" if low > limit else "undecided"
    assert judged.verdict == expected
    assert (judged.p <= level) == (expected != "undecided")
    assert judged.confidence == 1 - level


@given(ESTIMATES, st.floats(-10, 10), LEVELS)
def test_above_is_below_upside_down(estimate: Estimate, limit: float, level: float) -> None:
    turned = estimate._replace(value=-estimate.value)
    above, below = (
        verdicts.above(estimate, limit, level),
        verdicts.below(turned, -limit, level),
    )
    assert above.verdict == below.verdict
    assert above.p == pytest.approx(below.p)
    assert ends(above.interval) == pytest.approx(-ends(below.interval)[::-1])


def test_a_single_seed_decides_nothing() -> None:
    judged = verdicts.below(estimates.mean([0.01]), 100)
    assert (judged.verdict, judged.p) == ("undecided", 1)


@pytest.mark.parametrize("seeds", [3, 10])
def test_a_null_claim_is_decided_in_5_percent(seeds: int) -> None:
    draws = np.random.default_rng(0).normal(0.6, 0.1, [4000, seeds])
    judged = [verdicts.below(estimates.mean(draw), 0.6) for draw in draws.tolist()]
    assert about(0.05, [each.verdict != "undecided" for each in judged])
    assert about(0.025, [each.verdict == "holds" for each in judged])


def test_welchs_difference_of_equal_groups_is_decided_in_5_percent() -> None:
    rng = np.random.default_rng(0)
    # One group spreads thirty times the other, as losses of seeds do.
    pairs = zip(
        rng.normal(0, 0.03, [4000, 5]).tolist(),
        rng.normal(0, 0.001, [4000, 10]).tolist(),
        strict=True,
    )
    differences = [estimates.minus(*map(estimates.mean, pair)) for pair in pairs]
    assert at_most(0.05, [verdicts.below(each).verdict != "undecided" for each in differences])


def test_a_ratio_is_shown_as_one() -> None:
    log_ratio = paired_log_ratio(by_seed([2, 4, 9]), by_seed([1, 1, 1]))
    judged = verdicts.above(log_ratio)
    shown = verdicts.as_ratio(judged)
    assert shown.interval.mean == pytest.approx(72 ** (1 / 3))
    assert ends(shown.interval) == pytest.approx(np.exp(ends(judged.interval)))
    assert shown.verdict == judged.verdict
    assert shown.p == judged.p


def test_a_ratio_of_one_pair_has_no_interval() -> None:
    shown = verdicts.as_ratio(verdicts.above(paired_log_ratio({0: 2}, {0: 1})))
    assert shown.interval.mean == pytest.approx(2)
    assert all(math.isnan(end) for end in ends(shown.interval))


def test_an_end_that_no_number_holds_is_unbounded() -> None:
    """Two seeds at the level of a correction for twenty claims: the interval ends above e^709."""
    log_ratio = paired_log_ratio(by_seed([2, 1]), by_seed([1, 200]))
    shown = verdicts.as_ratio(verdicts.below(log_ratio, level=0.0025))
    assert shown.verdict == "undecided"
    assert (shown.interval.low, shown.interval.high) == (0, math.inf)
    beyond = verdicts.as_ratio(verdicts.below(Estimate(800, 1, 1)))
    assert beyond.interval.mean == math.inf


def test_p_values_that_are_no_numbers_decide_nothing() -> None:
    assert verdicts.by_p_values(math.nan, math.nan, 0.05) == "undecided"
    judged = equivalence.within(estimates.mean([0.5, math.nan]), 0.1)
    assert judged.verdict == "undecided"
