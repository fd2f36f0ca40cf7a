"""experiments/statistics/censored.py against known tests, and its error rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import censored, equivalence, paired, verdicts
from experiments.statistics.censored import Seen, Span
from experiments.statistics.intervals import Interval
from tests.statistics.rates import at_most, covers

TRIALS = 2000


def exact(values: list[float]) -> list[Span]:
    return [Span(value, value, value) for value in values]


@pytest.mark.parametrize("below", range(11))
def test_the_p_value_is_that_of_the_sign_test(below: int) -> None:
    judged = censored.below(exact([-1.0] * below + [1.0] * (10 - below)))
    assert judged.p == pytest.approx(stats.binomtest(below, 10).pvalue)


def test_the_interval_is_between_the_order_statistics_of_the_tables() -> None:
    """Of 10 values, the 2nd to the 9th: 97.9 % (Conover, Practical Nonparametric Statistics)."""
    found = censored.interval(exact([float(x) for x in range(1, 11)]), 0.95)
    assert found == Interval(5.5, 2, 9)
    assert censored.interval(exact([float(x) for x in range(1, 11)]), 0.98) == Interval(5.5, 1, 10)


def test_few_values_have_no_interval() -> None:
    found = censored.interval(exact([1.0, 2.0, 3.0, 4.0, 5.0]), 0.95)
    assert found == Interval(3, None, None)


def test_the_interval_and_the_verdict_agree() -> None:
    random = np.random.default_rng(1)
    for _ in range(300):
        judged = censored.below(exact(random.normal(-0.4, 1, 12).tolist()))
        low, high = judged.interval[1:]
        assert low is not None
        assert high is not None
        side = "holds" if high < 0 else "fails" if low > 0 else "undecided"
        assert judged.verdict == side


def test_the_interval_covers_the_median_of_a_skewed_distribution() -> None:
    random = np.random.default_rng(2)
    truth = math.log(2)  # of the exponential distribution
    found = [
        censored.interval(exact(random.exponential(size=15).tolist()), 0.95) for _ in range(TRIALS)
    ]
    assert at_most(0.05, [not covers(interval, truth) for interval in found])


def test_what_is_not_known_counts_for_neither_side() -> None:
    sure, open_ = exact([-1.0] * 8), [Span(-math.inf, -1.0, math.inf)] * 2
    assert censored.below([*sure, *open_]).p == pytest.approx(2 * stats.binom.sf(7, 10, 0.5))


def test_the_ranges_of_a_ratio() -> None:
    values = {1: Seen(10.0, True), 2: Seen(60.0, False), 3: Seen(60.0, False), 4: Seen(5.0, True)}
    others = {1: Seen(60.0, False), 2: Seen(20.0, True), 3: Seen(60.0, False), 5: Seen(5.0, True)}
    assert censored.log_ratios(values, others) == [
        Span(-math.inf, math.log(1 / 6), math.log(1 / 6)),
        Span(math.log(3), math.log(3), math.inf),
        Span(-math.inf, 0, math.inf),
    ]


def test_without_censoring_means_are_compared() -> None:
    values, others = {0: 2.0, 1: 3.0, 2: 2.5}, {0: 4.0, 1: 7.0, 2: 4.5}
    one, other = ({seed: Seen(at, True) for seed, at in side.items()} for side in (values, others))
    log_ratio = paired.paired_log_ratio(values, others)
    assert censored.ratio_below(one, other) == verdicts.as_ratio(verdicts.below(log_ratio))
    alike = equivalence.within_factor(log_ratio, 3)
    assert censored.ratio_within_factor(one, other, 3) == alike


def test_seeds_of_one_side_alone_count_for_nothing() -> None:
    one = {seed: Seen(10.0 + seed, True) for seed in range(5)}
    other = {seed: Seen(30.0 + seed, True) for seed in range(5)}
    expected = censored.ratio_below(one, other)
    assert censored.ratio_below({**one, 9: Seen(60.0, False)}, other) == expected
    with pytest.raises(ValueError, match="no seed is in both groups"):
        censored.ratio_below({1: Seen(1.0, False)}, {2: Seen(1.0, False)})


def test_within_a_factor() -> None:
    once = {seed: Seen(1.0, True) for seed in range(10)}
    late = {**{seed: Seen(1.4, True) for seed in range(9)}, 9: Seen(9.0, False)}
    assert censored.ratio_within_factor(late, once, 1.5).verdict == "holds"
    assert censored.ratio_within_factor(late, once, 1.3).verdict == "fails"
    assert censored.ratio_within_factor(late, once, 1.5, level=0.001).verdict == "undecided"
