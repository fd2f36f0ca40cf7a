"""experiments/statistics/spread.py against Student's test, and its error rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import equivalence, estimates, spread
from tests.statistics.rates import about, at_most

ONE, OTHER = [5.01, 5.03, 5.02, 5.05], [5.00, 4.98, 5.01]


def test_two_groups_that_are_pooled_are_students_test() -> None:
    found = spread.difference(ONE, OTHER, spread.pooled([ONE, OTHER]))
    assert estimates.p_differs(found) == pytest.approx(stats.ttest_ind(ONE, OTHER).pvalue)


def test_groups_of_one_add_nothing() -> None:
    assert spread.pooled([ONE, [7.0], OTHER]) == spread.pooled([ONE, OTHER])
    with pytest.raises(ValueError, match="no group has two values"):
        spread.pooled([[1.0], [2.0]])


@pytest.mark.parametrize("tolerance", [0.02, 0.05])
def test_single_seeds_at_the_edge_of_the_tolerance(tolerance: float) -> None:
    """A run whose true mean differs by the tolerance is called equal in 5 % of studies."""
    random = np.random.default_rng(1)
    verdicts = []
    for _ in range(4000):
        others = random.normal(5, 0.01, (7, 2)).tolist()
        ours, published = random.normal([5 + tolerance, 5.0], 0.01).tolist()
        estimate = spread.less_published([ours], published, spread.pooled(others))
        verdicts.append(equivalence.within(estimate, tolerance).verdict)
    assert at_most(0.05, [verdict == "holds" for verdict in verdicts])
    assert at_most(0.05, [verdict == "fails" for verdict in verdicts])
    assert "holds" in verdicts


def test_the_interval_of_equal_runs_misses_zero_in_five_percent() -> None:
    random = np.random.default_rng(2)
    missed = []
    for _ in range(4000):
        groups = random.normal(5, 0.01, (7, 2)).tolist()
        ours, theirs = random.normal(5, 0.01, 2).tolist()
        found = spread.difference([ours], [theirs], spread.pooled(groups))
        missed.append(estimates.p_differs(found) <= 0.05)
    assert about(0.05, missed)
