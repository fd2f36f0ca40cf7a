"""Shares against scipy.stats, and every error rate exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.statistics import shares
from tests.statistics.rates import ends

COUNTS = st.integers(1, 30).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@given(COUNTS, st.sampled_from([0.8, 0.95]))
def test_the_interval_is_clopper_and_pearsons(of: tuple[int, int], confidence: float) -> None:
    expected = stats.binomtest(*of).proportion_ci(confidence, method="exact")
    found = shares.exact_interval(*of, confidence)
    assert ends(found) == pytest.approx([expected.low, expected.high], abs=1e-9)
    assert found.mean == of[0] / of[1]


@given(COUNTS, st.sampled_from([0.25, 0.5, 0.8]))
def test_the_verdict_is_the_binomial_test(of: tuple[int, int], threshold: float) -> None:
    enough, few = (
        stats.binomtest(*of, threshold, alternative=side).pvalue for side in ("greater", "less")
    )
    judged = shares.at_least(*of, threshold)
    assert judged.p == pytest.approx(min(enough, few))
    expected = "holds" if enough <= 0.05 else "fails" if few <= 0.05 else "undecided"
    assert judged.verdict == expected
    low, high = ends(judged.interval)
    assert (low >= threshold) == (expected == "holds")
    assert (high <= threshold) == (expected == "fails")


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("total", [2, 4, 10, 25])
def test_wrong_verdicts_are_at_most_5_percent_exactly(total: int, threshold: float) -> None:
    chances = stats.binom.pmf(np.arange(total + 1), total, threshold)
    found = [shares.at_least(count, total, threshold).verdict for count in range(total + 1)]
    for wrong in ("holds", "fails"):
        happens = [verdict == wrong for verdict in found]
        assert chances[happens].sum() <= 0.05


def test_one_seed_of_ten_does_not_turn_the_verdict() -> None:
    assert shares.at_least(10, 10, 0.5).verdict == "holds"
    assert shares.at_least(9, 10, 0.5).verdict == "holds"
    assert shares.at_least(10, 10, 0.9).verdict == "undecided"
    assert shares.at_least(9, 10, 0.9).verdict == "undecided"


@given(COUNTS, st.sampled_from([0.2, 0.5]))
def test_at_most_is_at_least_of_the_rest(of: tuple[int, int], threshold: float) -> None:
    count, total = of
    judged, rest = (
        shares.at_most(count, total, threshold),
        shares.at_least(total - count, total, 1 - threshold),
    )
    assert (judged.verdict, judged.p) == (rest.verdict, rest.p)
    assert ends(judged.interval) == pytest.approx(1 - ends(rest.interval)[::-1], abs=1e-9)


@pytest.mark.parametrize("threshold", [0, 1])
def test_that_all_seeds_count_cannot_be_shown(threshold: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        shares.at_least(10, 10, threshold)
