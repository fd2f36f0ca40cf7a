"""model.train_embedding: a frozen embedding has no gradient, and training leaves it alone."""

from __future__ import annotations

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.training.evaluate import Evaluator
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig
from tests.conftest import small_config
from tests.graphs import FULL, assert_is_reference, draw_example, run_steps

NAME = "model/embedding"


def test_the_other_gradients_are_those_of_a_trained_one() -> None:
    trained = ModelConfig(cell="gru", state_size=3, embedding=2)
    ways = [("static", FULL)]
    ran = run_steps(trained, draw_example(1), ways)  # type: ignore[arg-type]
    assert_is_reference(trained, ran, ways)  # type: ignore[arg-type]
    assert abs(ran.steps[0].gradients[0]).max() > 1e-4  # so freezing it changes training


@pytest.mark.parametrize("trains", [True, False])
def test_training_moves_it_or_not(trains: bool) -> None:
    keys = ("model.embedding=3", f"model.train_embedding={str(trains).lower()}")
    config = small_config(*keys, "graph.precision=float64")
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        before = session.variables()
        session.train(rows.windows(0, 5, 5), 5)
        after = session.variables()
    assert before[NAME].any()
    assert np.array_equal(before[NAME], after[NAME]) != trains
    assert not np.array_equal(
        before["model/layer_0/scratch_cell/W"], after["model/layer_0/scratch_cell/W"]
    )
    assert any(name.startswith(f"{NAME}/") for name in after) == trains  # the optimizer's slot
    with Evaluator(config, work.task) as evaluator:
        assert NAME in evaluator.names
        evaluator.restore(after)
