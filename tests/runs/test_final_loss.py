"""experiments/runs/final_loss.py: the mean over the last tenth of updates, from sums or rows."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.runs.checkpoints import Position
from experiments.runs.final_loss import FinalLoss, LossSums, of_position, of_rows
from experiments.runs.metrics import MetricsRow

LOSSES = np.random.default_rng(0).uniform(0.3, 0.9, 1037).tolist()


def trained(ends: list[int], chunk: int, count: int = len(LOSSES)) -> Position:
    """A position after so many updates, which came in chunks."""
    position, sums = Position(0), LossSums(ends)
    for start in range(0, count, chunk):
        losses = LOSSES[start : min(start + chunk, count)]
        sums.add(position, losses)
        position.updates += len(losses)
    return position


@pytest.mark.parametrize("chunk", [1, 7, 100, 2000])
def test_it_is_the_mean_over_the_last_tenth(chunk: int) -> None:
    found = of_position(trained([1037], chunk))
    assert found is not None
    assert found.loss == pytest.approx(np.mean(LOSSES[933:]), rel=1e-12)
    assert found[1:] == (104, 1037)
    assert found.is_last_tenth


def test_how_an_epoch_is_cut_changes_no_bit() -> None:
    assert of_position(trained([1037], 1)) == of_position(trained([1037], 100))


@pytest.mark.parametrize("end", [100, 300, 1000])
def test_every_epoch_may_be_the_last(end: int) -> None:
    found = of_position(trained(list(range(100, 1001, 100)), 10, end))
    assert found is not None
    assert found.loss == pytest.approx(np.mean(LOSSES[9 * end // 10 : end]), rel=1e-12)


def test_a_position_keeps_only_the_sums_that_an_end_to_come_needs() -> None:
    position = trained(list(range(10, 1031, 10)), 10, 1000)
    assert all(900 <= int(start) <= 1000 for start in position.sums_before)


def test_a_single_update_is_its_own_last_tenth() -> None:
    assert of_position(trained([1], 1, 1)) == FinalLoss(LOSSES[0], 1, 1)


class TestAnOlderCheckpoint:
    """It has no sums: they begin at 0 where the training resumes."""

    def resumed(self, at: int) -> Position:
        position, sums = Position(0, updates=at), LossSums([1000])
        sums.add(position, LOSSES[at:1000])
        position.updates = 1000
        return position

    def test_before_the_last_tenth_nothing_is_missing(self) -> None:
        found = of_position(self.resumed(900))
        assert found is not None
        assert found.loss == pytest.approx(np.mean(LOSSES[900:1000]), rel=1e-12)

    def test_within_it_there_is_no_final_loss(self) -> None:
        assert of_position(self.resumed(901)) is None


def test_a_seed_that_ended_where_none_was_expected_has_none() -> None:
    assert of_position(trained([1037], 10, 500)) is None


def row(seed: int, updates: int, loss: float, split: str = "train") -> MetricsRow:
    return MetricsRow(seed, 1, updates, 50 * updates, 0.0, split, loss)


class TestOfRows:
    def test_they_are_the_mean_over_the_last_tenth(self) -> None:
        rows = [row(0, updates, updates / 1000) for updates in range(50, 1001, 50)]
        assert list(of_rows(rows)[0]) == pytest.approx([(0.95 + 1.0) / 2, 100, 1000])

    def test_a_short_last_row_counts_as_the_updates_that_it_has(self) -> None:
        found = of_rows([row(0, 900, 0.6), row(0, 990, 0.5), row(0, 1000, 0.9)])
        assert found[0].loss == pytest.approx((90 * 0.5 + 10 * 0.9) / 100)

    def test_a_row_that_reaches_further_back_is_said_to(self) -> None:
        (found,) = of_rows([row(0, 500, 0.6), row(0, 1000, 0.5)]).values()
        assert found == (0.5, 500, 1000)
        assert not found.is_last_tenth

    def test_a_seed_that_stopped_early_has_the_last_tenth_of_what_was_trained(self) -> None:
        early = [row(0, updates, updates / 1000) for updates in range(10, 201, 10)]
        late = [row(1, updates, 0.1) for updates in range(10, 1001, 10)]
        assert list(of_rows([*early, *late])[0]) == pytest.approx([(0.19 + 0.2) / 2, 20, 200])

    def test_validation_rows_are_no_training(self) -> None:
        assert of_rows([row(0, 100, 0.5), row(0, 100, 9.0, "valid")])[0].loss == 0.5
