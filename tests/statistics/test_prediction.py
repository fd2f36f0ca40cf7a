"""Published numbers against closed forms, scipy, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import estimates, prediction
from experiments.statistics.equivalence import within
from tests.statistics.rates import about, at_most, rate

VALUES = [0.52, 0.61, 0.55, 0.58, 0.49]


def test_a_faithful_reproduction_fails_in_5_percent() -> None:
    rng = np.random.default_rng(0)
    ours, published = rng.normal(3, 0.5, [4000, 5]).tolist(), rng.normal(3, 0.5, 4000).tolist()
    pairs = list(zip(ours, published, strict=True))
    knows_theirs = [estimates.p_differs(prediction.less_published(*pair)) for pair in pairs]
    assert about(0.05, [p <= 0.05 for p in knows_theirs])
    ours_alone = [estimates.p_differs(estimates.mean(a), b) for a, b in pairs]
    assert rate(p <= 0.05 for p in ours_alone) > 0.3


def test_beyond_the_tolerance_it_holds_in_5_percent() -> None:
    rng = np.random.default_rng(0)
    ours, published = rng.normal(3.3, 0.1, [4000, 5]).tolist(), rng.normal(3, 0.1, 4000).tolist()
    judged = [
        within(prediction.less_published(*pair), 0.3).verdict
        for pair in zip(ours, published, strict=True)
    ]
    assert at_most(0.05, [verdict == "holds" for verdict in judged])
    assert at_most(0.05, [verdict == "fails" for verdict in judged])


def test_a_single_seed_reproduces_nothing() -> None:
    assert within(prediction.less_published([79.0], 79.0), 1).verdict == "undecided"


def test_with_a_published_spread_it_is_welchs() -> None:
    found = prediction.less_published_mean(VALUES, 0.5, 0.03, 3)
    expected = stats.ttest_ind_from_stats(
        np.mean(VALUES), np.std(VALUES, ddof=1), 5, 0.5, 0.03, 3, equal_var=False
    )
    assert estimates.p_differs(found) == pytest.approx(expected.pvalue)
