"""Holm's correction against the closure principle, a worked example, and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.statistics import estimates, multiple, verdicts
from experiments.statistics.intervals import Interval
from experiments.statistics.verdicts import Judgement
from tests.statistics.rates import at_most, rate


def test_the_worked_example() -> None:
    # At 0.05 the first and the last are rejected. (R: p.adjust(..., "holm") gives the same.)
    adjusted = multiple.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=6))
def test_it_is_the_closed_test_by_bonferroni(p_values: list[float]) -> None:
    # Marcus, Peritz & Gabriel 1976: a claim's p is the largest over all sets that contain it.
    indices = range(len(p_values))
    expected = [
        max(
            min(1, len(group) * min(p_values[each] for each in group))
            for size in range(1, len(p_values) + 1)
            for group in itertools.combinations(indices, size)
            if index in group
        )
        for index in indices
    ]
    assert multiple.holm(p_values) == pytest.approx(expected)


def test_verdicts_are_kept_or_become_undecided() -> None:
    shown = Interval(0, -1, 1)
    judgements = [
        Judgement("holds", 0.001, shown, 0.95),
        Judgement("fails", 0.02, shown, 0.9),
        Judgement("holds", 0.03, shown, 0.95),
        Judgement("undecided", 0.5, shown, 0.95),
    ]
    found = multiple.corrected(judgements)
    assert [each.verdict for each in found] == ["holds", "undecided", "undecided", "undecided"]
    assert [each.p for each in found] == pytest.approx([0.004, 0.06, 0.06, 0.5])
    assert multiple.corrected([]) == []


def test_of_20_null_claims_one_or_more_is_decided_in_5_percent_of_studies() -> None:
    draws = np.random.default_rng(0).normal(size=[600, 20, 5])
    raw, after = [], []
    for study in draws.tolist():
        judged = [verdicts.below(estimates.mean(values)) for values in study]
        raw.append(any(each.verdict != "undecided" for each in judged))
        after.append(any(each.verdict != "undecided" for each in multiple.corrected(judged)))
    assert rate(raw) > 0.5
    assert at_most(0.05, after)
    assert rate(after) > 0.02
