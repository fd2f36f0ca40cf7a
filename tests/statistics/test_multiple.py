"""Holm's correction against the closure principle, a worked example, and simulation."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.statistics import multiple


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
