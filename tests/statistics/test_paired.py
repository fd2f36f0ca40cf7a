"""Paired differences and ratios against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import estimates, paired, verdicts
from tests.statistics.rates import about, by_seed

VALUES = {3: 0.52, 0: 0.61, 2: 0.55, 1: 0.58}
OTHERS = {0: 0.66, 1: 0.63, 2: 0.57, 3: 0.56, 7: 9.0}


def test_the_difference_is_the_paired_t_test() -> None:
    seeds = paired.shared_seeds(VALUES, OTHERS)
    assert seeds == [0, 1, 2, 3]
    expected = stats.ttest_rel([VALUES[s] for s in seeds], [OTHERS[s] for s in seeds])
    found = paired.paired_difference(VALUES, OTHERS)
    interval = expected.confidence_interval(0.95)
    assert estimates.bounds(found) == pytest.approx([interval.low, interval.high])
    assert estimates.p_differs(found) == pytest.approx(expected.pvalue)
    assert paired.difference(VALUES, OTHERS) == found


def test_the_ratio_is_the_paired_t_test_of_logarithms() -> None:
    seeds = paired.shared_seeds(VALUES, OTHERS)
    ours, theirs = (np.log([side[seed] for seed in seeds]) for side in (VALUES, OTHERS))
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    found = paired.paired_log_ratio(VALUES, OTHERS)
    assert estimates.bounds(found) == pytest.approx([expected.low, expected.high])


@pytest.mark.parametrize("others", [{4: 0.66, 5: 0.63, 6: 0.6}, {2: 0.66, 3: 0.63, 6: 0.6}])
def test_groups_that_lack_each_others_seeds_are_welchs(others: dict[int, float]) -> None:
    assert not paired.are_paired(VALUES, others)
    expected = stats.ttest_ind(
        list(VALUES.values()), list(others.values()), equal_var=False
    ).confidence_interval(0.95)
    found = paired.difference(VALUES, others)
    assert estimates.bounds(found) == pytest.approx([expected.low, expected.high])


def test_a_single_seed_is_paired_without_an_interval() -> None:
    assert paired.are_paired(VALUES, {2: 0.5})
    found = paired.difference(VALUES, {2: 0.5})
    assert found.value == pytest.approx(0.05)
    assert estimates.p_differs(found) == 1


def test_without_a_shared_seed_nothing_is_paired() -> None:
    with pytest.raises(ValueError, match="no seed is in both groups"):
        paired.paired_difference({0: 1.0}, {1: 1.0})


@pytest.mark.parametrize("common", [0.0, 1.0])
def test_pairs_keep_the_error_rate_and_find_what_the_seed_hides(common: float) -> None:
    rng = np.random.default_rng(0)
    seed_effects = common * rng.normal(size=[2000, 1, 5])
    groups = seed_effects + 0.1 * rng.normal(size=[2000, 2, 5])
    equal = [paired.difference(by_seed(a), by_seed(b)) for a, b in groups.tolist()]
    assert about(0.05, [verdicts.below(each).verdict != "undecided" for each in equal])
    lower = [each._replace(value=each.value - 0.3) for each in equal]
    assert np.mean([verdicts.below(each).verdict == "holds" for each in lower]) > 0.85
