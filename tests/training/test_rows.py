"""experiments/training/rows.py: updates of chunks of any size become rows of means."""

from __future__ import annotations

import numpy as np
import pytest

from data.streams import state_of, training_stream
from experiments.runs.checkpoints import Position
from experiments.training.loop import Chunk, Place
from experiments.training.rows import RowAccumulator
from tests.conftest import small_config

CONFIG = small_config("logging.every=4", "logging.metrics=[accuracy,perplexity]")
LOSSES = [0.5, 0.25, 1.0, 0.125, 2.0, 0.75, 0.375, 1.5, 0.0625, 3.0]


def chunk(losses: list[float]) -> Chunk:
    place = Place(0, 1, state_of(training_stream(0)))
    metrics = {"loss": losses, "accuracy": [loss / 4 for loss in losses]}
    return Chunk(metrics, 0.5, 1, place, "running")


@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_a_row_is_the_mean_of_the_updates_since_the_row_before(size: int) -> None:
    position = Position(seed=3)
    rows = RowAccumulator(CONFIG, position, [])
    found = [
        row
        for start in range(0, len(LOSSES), size)
        for row in rows.add(chunk(LOSSES[start : start + size]))
    ]
    assert position.pending == {"loss": LOSSES[8:], "accuracy": [loss / 4 for loss in LOSSES[8:]]}
    found += rows.flush(epoch=2)
    per_update = CONFIG.graph.batch_size * CONFIG.graph.num_steps
    assert [row[:6] for row in found] == [
        (3, epoch, updates, updates * per_update, updates / 2, "train")
        for epoch, updates in [(1, 4), (1, 8), (2, 10)]
    ]
    assert [row.loss for row in found] == [
        np.mean(LOSSES[start:stop]) for start, stop in [(0, 4), (4, 8), (8, 10)]
    ]
    assert (position.updates, position.seconds, position.pending) == (10, 5.0, {})


def test_updates_of_a_checkpoint_that_are_in_no_row_count() -> None:
    position = Position(0, updates=3, pending={"loss": LOSSES[:3], "accuracy": [0.0] * 3})
    (row,) = RowAccumulator(CONFIG, position, []).add(chunk(LOSSES[3:5]))
    assert row.updates == 4
    assert row.loss == np.mean(LOSSES[:4])


def test_without_updates_there_is_no_row() -> None:
    rows = RowAccumulator(CONFIG, Position(0), [])
    assert rows.add(chunk([])) == []
    assert rows.flush(epoch=1) == []
