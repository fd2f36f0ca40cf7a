"""The project's own LSTM and GRU are TensorFlow's, from the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from data.task import Array
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf
from tests.conftest import SMALL

UPDATES = 20


def config_of(cell: str, *overrides: str) -> Config:
    return load_config("r2rt_n5", [*SMALL, f"model.cell={cell}", "optimizer.kind=sgd", *overrides])


def trained(cell: str, *overrides: str) -> tuple[Array, dict[str, Array]]:
    """The loss of each update, and the variables after the last."""
    config = config_of(cell, *overrides)
    workload = make_workload(config)
    rows = cut_into_rows(workload.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, workload), 1) as session:
        session.initialize(0)
        losses = [
            session.train(rows.windows(first, 10, config.graph.num_steps), 10)["loss"]
            for first in range(0, UPDATES, 10)
        ]
        return np.concatenate(losses), session.variables()


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
@pytest.mark.parametrize("xla", ["off", "on"])
@pytest.mark.parametrize(("own", "theirs"), [("scratch_lstm", "lstm"), ("scratch_gru", "gru")])
def test_losses_and_weights_are_those_of_tensorflows_cell(
    own: str, theirs: str, unroll: str, xla: str
) -> None:
    overrides = (f"graph.unroll={unroll}", f"execution.xla={xla}", "model.state_size=16")
    losses, variables = trained(own, *overrides)
    expected, expected_variables = trained(theirs, *overrides)
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-6)
    shapes = [value.shape for value in variables.values()]
    assert shapes == [value.shape for value in expected_variables.values()]
    for value, other in zip(variables.values(), expected_variables.values(), strict=True):
        np.testing.assert_allclose(value, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", ["scratch_lstm", "scratch_gru"])
def test_products_do_not_grow_with_the_time_steps_where_they_need_not(cell: str) -> None:
    """Forward and backward, a step has only the products with its state."""

    def products(num_steps: int) -> int:
        config = config_of(cell, f"graph.num_steps={num_steps}", "execution.loop=per_step")
        graph = build(config, make_workload(config))
        update = graph.metrics["loss"].op.name
        run = tf.graph_util.extract_sub_graph(graph.graph.as_graph_def(), [update])
        return sum(node.op == "MatMul" for node in run.node)

    recurrent = {"scratch_lstm": 1, "scratch_gru": 2}[cell]
    assert products(9) - products(5) == 4 * 2 * recurrent
