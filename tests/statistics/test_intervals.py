"""experiments/statistics/intervals.py against scipy.stats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.statistics import estimates
from experiments.statistics.intervals import Interval, share_interval

LOSSES = st.lists(st.integers(-1000, 1000), min_size=2, max_size=30).map(
    lambda numbers: [number / 100 for number in numbers]
)


def interval_of_mean(values: Sequence[float]) -> Interval:
    return estimates.interval(estimates.mean(values))


def bounds(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


@given(LOSSES)
def test_the_interval_is_students(values: list[float]) -> None:
    interval = interval_of_mean(values)
    error = stats.sem(values)
    assert interval.mean == pytest.approx(np.mean(values))
    if error == 0:
        assert interval.low == interval.high == interval.mean
        return
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
    assert interval.low == pytest.approx(low, rel=1e-9, abs=1e-12)
    assert interval.high == pytest.approx(high, rel=1e-9, abs=1e-12)


def test_a_single_value_has_no_interval() -> None:
    interval = interval_of_mean([0.5])
    assert interval == (0.5, None, None)


def test_the_interval_covers_the_mean_19_times_in_20() -> None:
    draws = np.random.default_rng(0).normal(3, 2, [4000, 5])
    ends = [bounds(interval_of_mean(values)) for values in draws.tolist()]
    covered = [low <= 3 <= high for low, high in ends]
    assert abs(np.mean(covered) - 0.95) < 5 * (0.95 * 0.05 / len(covered)) ** 0.5


@given(st.integers(1, 40).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_interval_of_a_share_is_wilsons(of: tuple[int, int]) -> None:
    count, total = of
    interval = share_interval(count, total)
    expected = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert interval.mean == count / total
    assert interval.low == pytest.approx(expected.low, abs=1e-9)
    assert interval.high == pytest.approx(expected.high, abs=1e-9)
