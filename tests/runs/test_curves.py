"""experiments/runs/curves.py: rows of metrics.csv as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.runs.curves import curves
from experiments.runs.metrics import MetricsRow


def row(
    seed: int, updates: int, loss: float, split: str = "train", seconds: float = 0.0
) -> MetricsRow:
    return MetricsRow(seed, 1, updates, 50 * updates, seconds, split, loss)


ROWS = [
    row(0, 100, 0.6, seconds=1.0),
    row(0, 200, 0.5, seconds=2.0),
    row(0, 200, 0.9, "valid"),
    row(1, 100, 0.7, seconds=3.0),
    row(1, 200, 0.4, seconds=4.0),
    row(1, 300, 0.3, seconds=5.0),
]


def test_seeds_are_rows_and_updates_are_columns() -> None:
    found = curves(ROWS)
    assert found.seeds == [0, 1]
    np.testing.assert_array_equal(found.updates, [100, 200, 300])
    np.testing.assert_array_equal(found.time_steps, [5000, 10_000, 15_000])
    np.testing.assert_array_equal(found.losses, [[0.6, 0.5, np.nan], [0.7, 0.4, 0.3]])


def test_against_updates_the_losses_are_those_of_the_rows() -> None:
    found = curves(ROWS)
    x, losses = found.against("updates")
    np.testing.assert_array_equal(x, found.updates)
    np.testing.assert_allclose(losses, found.losses)


def test_against_seconds_each_seed_is_read_between_its_own_rows() -> None:
    slow = [row(0, 100, 0.8, seconds=2.0), row(0, 200, 0.4, seconds=6.0)]
    fast = [row(1, 100, 0.6, seconds=1.0), row(1, 200, 0.5, seconds=3.0)]
    x, losses = curves([*slow, *fast, row(1, 300, 0.1, seconds=4.0)]).against("seconds")
    # From where the slow seed begins to where the fast one ends.
    np.testing.assert_array_equal(x, [2.0, 3.0, 4.0])
    np.testing.assert_allclose(losses, [[0.8, 0.7, 0.6], [0.55, 0.5, 0.1]])


def test_against_seconds_the_mean_does_not_jump_where_a_slower_seed_begins() -> None:
    """Both seeds have the same falling losses; so has their mean, whoever has begun."""
    rows = [
        row(seed, 100 * k, 0.7 - 0.05 * k, seconds=k * each)
        for seed, each in ((0, 1.0), (1, 4.0))
        for k in range(1, 9)
    ]
    x, losses = curves(rows).against("seconds")
    assert len(x) > 3
    assert not np.isnan(losses).any()
    assert (np.diff(losses.mean(axis=0)) < 0).all()


def test_a_seed_that_stopped_early_leaves_no_gap_in_the_others() -> None:
    early = [row(0, 100, 0.8), row(0, 150, 0.7)]
    found = curves([*early, row(1, 100, 0.6), row(1, 200, 0.4)])
    x, losses = found.against("updates")
    np.testing.assert_array_equal(x, [100, 150, 200])
    np.testing.assert_allclose(losses, [[0.8, 0.7, np.nan], [0.6, 0.5, 0.4]])


@pytest.mark.parametrize("axis", ["updates", "time_steps", "seconds"])
def test_without_rows_there_is_nothing_to_draw(axis: str) -> None:
    x, losses = curves([]).against(axis)
    assert (x.shape, losses.shape) == ((0,), (0, 0))


def test_only_the_asked_split_is_taken() -> None:
    found = curves(ROWS, "valid")
    np.testing.assert_array_equal(found.losses, [[0.9]])


def test_no_rows_are_no_curve() -> None:
    found = curves([])
    assert found.losses.shape == (0, 0)
    assert found.seeds == []
