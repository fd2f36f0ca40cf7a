"""experiments/runs/curves.py: rows of metrics.csv as arrays, and final losses."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.runs.curves import curves, final_losses
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
    np.testing.assert_array_equal(losses, found.losses)


def test_against_seconds_each_seed_is_read_between_its_own_rows() -> None:
    slow = [row(0, 100, 0.8, seconds=2.0), row(0, 200, 0.4, seconds=6.0)]
    fast = [row(1, 100, 0.6, seconds=1.0), row(1, 200, 0.5, seconds=3.0)]
    x, losses = curves([*slow, *fast, row(1, 300, 0.1, seconds=4.0)]).against("seconds")
    np.testing.assert_array_equal(x, [1.0, 2.0, 3.0, 4.0])  # where the fast seed ends
    np.testing.assert_allclose(losses[0], [np.nan, 0.8, 0.7, 0.6])
    np.testing.assert_allclose(losses[1], [0.6, 0.55, 0.5, 0.1])


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


class TestFinalLosses:
    def test_they_are_the_mean_over_the_last_tenth(self) -> None:
        rows = [row(0, updates, updates / 1000) for updates in range(100, 1001, 50)]
        assert final_losses(rows, 1000) == {0: pytest.approx((0.95 + 1.0) / 2)}

    def test_the_last_row_counts_where_the_last_tenth_holds_no_more(self) -> None:
        assert final_losses([row(0, 500, 0.6), row(0, 1000, 0.5)], 1000) == {0: 0.5}

    def test_a_run_that_ended_early_has_its_newest_row(self) -> None:
        assert final_losses([row(0, 100, 0.6), row(0, 200, 0.5)], 1000) == {0: 0.5}

    def test_each_seed_has_its_own(self) -> None:
        assert final_losses(ROWS, 300) == {0: 0.5, 1: 0.3}
