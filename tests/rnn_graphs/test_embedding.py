"""model.train_embedding: a frozen embedding has no gradient, and training leaves it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.training.evaluator import Evaluator
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step
from tests.conftest import small_config
from tests.graphs import SHAPE, at_its_depth, close, draw_example

NAME = "model/embedding"


def gradients_of(truncation: TruncationConfig, trains: bool) -> list[Any]:
    """Of all variables that are trained, in the same order, from the same weights."""
    config = ModelConfig(cell="gru", state_size=3, embedding=2, train_embedding=trains)
    example = draw_example(1, time=6, context=truncation.context_steps)
    stream = np.random.default_rng(7)
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(config, SHAPE, tf.float64)
        window = Window(
            tf.constant(example.inputs), tf.constant(example.labels), model.zero_state(3),
            tf.constant([0, 0]),
        )  # fmt: skip
        step = make_step(model, model.unrolls["static"], truncation)(
            at_its_depth(window, truncation)
        )
        snapshot = make_snapshot(sorted(model.all_variables, key=lambda one: str(one.name)))
        weights = [stream.normal(0, 0.5, one.shape) for one in snapshot.values.values()]
        session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))
        found: list[Any] = session.run(step.gradients)
    return found


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": "full"},
        {"kind": "tf_style", "depth": 3},
        {"kind": "true_bptt", "depth": 2},
        {"kind": "williams_peng", "depth": 4, "stride": 2},
        {"kind": "artbp", "cut_probability": 0.3},
        {"kind": "adaptive", "tolerance": 0.5, "least": 1, "most": 3},
    ],
    ids=str,
)
def test_the_other_gradients_are_those_of_a_trained_one(keys: dict[str, Any]) -> None:
    truncation = TruncationConfig(**keys)
    of_embedding, *expected = gradients_of(truncation, trains=True)
    found = gradients_of(truncation, trains=False)
    assert abs(of_embedding).max() > 1e-4  # so freezing it changes training
    for ours, theirs in zip(found, expected, strict=True):
        close(ours, theirs)


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
