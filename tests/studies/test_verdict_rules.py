"""experiments/studies/verdict_rules.py: intervals and shares to verdicts, and their error rates."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from experiments.statistics.intervals import Interval, difference_interval, mean_interval
from experiments.studies.verdict_rules import (
    all_of,
    any_of,
    below,
    exactly,
    opposite,
    share_at_least,
    share_at_most,
    within,
)

NONE = Interval(0.5, None, None)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-2, -1, "holds"), (1, 2, "fails"), (-1, 1, "undecided"), (-1, 0, "undecided")],
)
def test_a_difference_is_decided_where_its_interval_leaves_the_limit_out(
    low: float, high: float, verdict: str
) -> None:
    assert below(Interval((low + high) / 2, low, high), 0) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.96, 1.04, "holds"), (1.06, 1.2, "fails"), (0.8, 0.94, "fails"),
        (0.94, 1.0, "undecided"), (1.0, 1.06, "undecided"), (0.5, 2, "undecided"),
    ],
)  # fmt: skip
def test_equality_is_two_one_sided_tests(low: float, high: float, verdict: str) -> None:
    assert within(Interval(1, low, high), 0.95, 1.05) == verdict


def test_what_has_no_interval_is_undecided() -> None:
    assert below(NONE, 99) == "undecided"
    assert within(NONE, -99, 99) == "undecided"
    assert share_at_least(0, 0, 0.5) == "undecided"


@pytest.mark.parametrize("total", [3, 4, 10, 30])
@pytest.mark.parametrize("least", [0.5, 0.8])
def test_shares_are_decided_by_wilsons_interval(total: int, least: float) -> None:
    for count in range(total + 1):
        low, high = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
        expected = "holds" if low >= least else "fails" if high < least else "undecided"
        assert share_at_least(count, total, least) == expected
        assert share_at_most(total - count, total, 1 - least) == expected


def test_one_seed_of_ten_decides_nothing() -> None:
    assert share_at_least(9, 10, 0.5) == share_at_least(10, 10, 0.5) == "holds"


def test_parts_and_alternatives() -> None:
    assert all_of(["holds", "holds"]) == "holds"
    assert all_of(["holds", "undecided"]) == "undecided"
    assert all_of(["undecided", "fails"]) == "fails"
    assert any_of(["fails", "holds"]) == "holds"
    assert any_of(["fails", "undecided"]) == "undecided"
    assert any_of(["fails", "fails"]) == "fails"
    assert all_of([]) == any_of([]) == "undecided"
    assert opposite(exactly(True)) == exactly(False) == "fails"


def test_at_most_one_in_twenty_null_differences_is_decided() -> None:
    stream, trials = np.random.default_rng(0), 2000
    found = Counter(
        below(difference_interval(*stream.normal(size=(2, 10)).tolist()), 0) for _ in range(trials)
    )
    wrong = trials - found["undecided"]
    assert stats.binomtest(wrong, trials, 0.05, alternative="greater").pvalue > 0.01


def test_at_most_one_in_twenty_means_at_the_margin_is_called_equal() -> None:
    stream, trials = np.random.default_rng(0), 2000
    margin = 2.0  # the true mean is right there, which is the worst case
    verdicts = Counter(
        within(mean_interval((margin + stream.normal(size=10)).tolist()), -margin, margin)
        for _ in range(trials)
    )
    for wrong in (verdicts["holds"], verdicts["fails"]):
        assert stats.binomtest(wrong, trials, 0.025, alternative="greater").pvalue > 0.01
    assert verdicts["holds"] > 0.01 * trials
