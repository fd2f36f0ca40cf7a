"""The style that chooses its depth: its gradient for each choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import build_credit_graph, definition
from rnn_graphs.truncation.step import Window, make_step

NUM_STEPS = 6


def config(least: int, most: int) -> TruncationConfig:
    return TruncationConfig(kind="adaptive", tolerance=0.5, least=least, most=most)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_measured_credit_is_that_of_bptt_2k_minus_1_k(depth: int) -> None:
    graph = build_credit_graph("static", config(depth, depth), NUM_STEPS)
    rows = []
    with tf.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        for t in range(NUM_STEPS):
            labels = (np.arange(NUM_STEPS) == t)[:, None]
            rows.append(session.run(graph.row, {graph.labels: labels, graph.key: [0, 0]}))
    np.testing.assert_array_equal(rows, definition(config(depth, depth), NUM_STEPS))
    reached = np.sum(rows, axis=1)
    assert (reached.min(), reached.max()) == (depth, 2 * depth - 1)


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
def test_the_choice_decides(unroll: str) -> None:
    """One graph with every depth against a graph of one, on the steps that it needs."""
    model_config = ModelConfig(cell="gru", state_size=3, embedding=2)
    chooser, stream = config(1, 3), np.random.default_rng(0)
    inputs = stream.integers(0, 3, [chooser.context_steps + NUM_STEPS, 2])
    labels = stream.integers(0, 2, [NUM_STEPS, 2])
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(model_config, TaskShape(3, 2), tf.float64)
        index, state = tf.placeholder(tf.int32, []), model.zero_state(2)
        key, run = tf.constant([0, 0]), model.unrolls[unroll]

        def window(first: int, before: Any, influence: Any) -> Window:
            return Window(
                tf.constant(inputs[first:]), tf.constant(labels), before, key,
                influence=influence,
            )  # fmt: skip

        step = make_step(model, run, chooser)(window(0, state, index))
        alone = []
        for depth in chooser.depths(NUM_STEPS):
            first = chooser.context_steps - (depth - 1)
            start = state
            if first:
                encoded = model.encode(tf.constant(inputs[:first]), key)
                start = tf.stop_gradient(run(model.cell, encoded, state, None).final_state)
            one = make_step(model, run, config(depth, depth))
            alone.append(one(window(first, start, tf.constant(0))).gradients)
        snapshot = make_snapshot(model.variables)
        weights = [stream.normal(0, 0.5, value.shape) for value in snapshot.values.values()]
        session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))
        found = []
        for place, expected in enumerate(alone):
            ours = session.run((step.gradients, step.depth), {index: place})
            found.append(ours[1])
            for one, other in zip(ours[0], session.run(expected), strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    assert found == chooser.depths(NUM_STEPS) == [1, 2, 3]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"least": 4, "most": 6}, "truncation.least: expected a divisor of graph.num_steps, 6"),
        ({"least": 1, "most": 5}, "truncation.most: expected a divisor"),
        ({"least": 3, "most": 2}, "truncation.least: expected at most truncation.most, 2"),
    ],
)
def test_bounds_must_divide_the_window(keys: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**keys).check_window(NUM_STEPS)
