"""experiments/training/probe.py: a trained model is asked on held-out data, by its task."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from data.streams import evaluation_stream
from data.task import Drawn
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.training.evaluate import Evaluator
from experiments.training.probe import ask_model, probe_seeds
from tests.conftest import small_config


class Guesses:
    """Stands in for an evaluator: a model that knows nothing. Keeps what it is asked."""

    def __init__(self) -> None:
        self.drawn: Drawn | None = None

    def probabilities(self, drawn: Drawn, batch_size: int) -> NDArray[np.float64]:
        self.drawn = drawn
        return np.full((batch_size, len(drawn.inputs) // batch_size, 2), 0.5)


def test_a_model_is_asked_on_the_fresh_data_of_its_seed() -> None:
    task, guesses = small_config().task.make(), Guesses()
    answers = ask_model(task, cast(Evaluator, guesses), 7, 20)
    assert list(answers) == ["seed", "combinations", "effects"]
    assert answers["seed"] == 7
    assert guesses.drawn is not None
    expected = task.evaluation("fresh", evaluation_stream(7))
    np.testing.assert_array_equal(guesses.drawn.inputs, expected.inputs)


@pytest.mark.parametrize(("batch_size", "rows"), [(20, 20), (1_000_000, 20_000)])
def test_there_are_at_most_as_many_rows_as_symbols(batch_size: int, rows: int) -> None:
    answers = ask_model(small_config().task.make(), cast(Evaluator, Guesses()), 0, batch_size)
    asked = sum(one["time_steps"] for one in answers["combinations"])
    assert asked == rows * max(0, 20_000 // rows - 8)


def test_a_task_without_a_probe_has_no_answers(tmp_path: Path) -> None:
    config = small_config("task=copy_memory")
    positions = [Position(0, status="complete")]
    assert probe_seeds(config, config.task.make(), RunDirectory(tmp_path), positions) == {}
