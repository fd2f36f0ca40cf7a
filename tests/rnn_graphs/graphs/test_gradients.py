"""rnn_graphs/graphs/gradients.py: error signal and gradients of a window against NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from experiments.gradients.error import compare
from experiments.gradients.measurement import styles
from rnn_graphs.config import GraphConfig, ModelConfig, TruncationConfig, Unroll
from rnn_graphs.error_signal import error_signal as error_signal_of
from rnn_graphs.graphs.gradients import build_gradient_graph
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.step import Window
from rnn_graphs.unrolls import static
from tests.numpy_reference import Array, draw_weights, error_signal, train_step

TIME, BATCH, STATE = 4, 5, 3


class Example:
    """Weights, a window and a state."""

    def __init__(self, seed: int) -> None:
        stream = np.random.default_rng(seed)
        self.weights = draw_weights(stream, 2, STATE, 2)
        self.inputs, self.labels = stream.integers(0, 2, [2, TIME, BATCH])
        self.state: Array = stream.uniform(-1, 1, [BATCH, STATE])

    def gradient(self, truncation: TruncationConfig) -> Array:
        """The reference's gradient of all weights, [parameters]."""
        credit = definition(truncation, TIME)
        step = train_step(self.weights, self.inputs, self.labels, self.state, credit)
        return np.concatenate([part.ravel() for part in step.gradients])


def looked_at(
    example: Example, truncations: list[TruncationConfig], cell: str, unroll: Unroll
) -> tuple[Array, Array, list[Array]]:
    """Error signal, full gradient and estimates of a graph."""
    graph_config = GraphConfig(
        unroll=unroll, num_steps=TIME, batch_size=BATCH, precision="float32"
    )  # fmt: skip
    model_config = ModelConfig(cell=cell, state_size=STATE)
    graph = build_gradient_graph(model_config, graph_config, TaskShape(2, 2), truncations)
    window = graph.window
    with tf.Session(graph=graph.graph) as session:
        values = dict(zip(graph.snapshot.values.values(), example.weights, strict=True))
        session.run(graph.snapshot.restore, values)
        found: tuple[Array, Array, list[Array]] = session.run(
            (graph.error_signal, graph.full, graph.estimates),
            {
                window.inputs: example.inputs, window.labels: example.labels,
                window.state: example.state, window.key: [0, 0],
            },
        )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("cell", "unroll"), [("scratch", "scratch"), ("basic_rnn", "static"), ("basic_rnn", "dynamic")]
)
def test_error_signal_and_gradients_are_the_references(cell: str, unroll: Unroll) -> None:
    example = Example(0)
    exact = [style for style in styles(TIME) if style.kind != "artbp"]
    signal, full, estimates = looked_at(example, exact, cell, unroll)
    expected = error_signal(example.weights, example.inputs, example.labels, example.state)
    np.testing.assert_allclose(signal, expected, rtol=1e-10)
    whole = example.gradient(TruncationConfig(kind="full"))
    np.testing.assert_allclose(full, whole, rtol=0, atol=1e-12)
    errors = []
    for style, estimate in zip(exact, estimates, strict=True):
        found, reference = compare(estimate, full), compare(example.gradient(style), whole)
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-10, err_msg=str(style))
        errors.append(found.relative_error)
    assert max(errors) > 0.1


def test_depth_of_the_whole_window_leaves_nothing_out() -> None:
    deep = [
        TruncationConfig(kind="tf_style", depth=TIME),
        *[TruncationConfig(kind="true_bptt", depth=depth) for depth in (TIME, TIME + 2)],
        TruncationConfig(kind="williams_peng", depth=TIME, stride=TIME // 2),
        TruncationConfig(kind="artbp", cut_probability=0),
    ]
    _, full, estimates = looked_at(Example(1), deep, "basic_rnn", "static")
    for style, estimate in zip(deep, estimates, strict=True):
        assert compare(estimate, full) == pytest.approx((0, 1), abs=1e-14), str(style)


def test_error_signal_is_over_all_parts_of_a_state() -> None:
    """An LSTM's, against differences of the last loss by the state two steps before it."""
    example, lag, change = Example(2), 2, 1e-6
    ids = tf.int32
    with tf.Graph().as_default(), tf.Session() as session:
        lstm_model = Model(ModelConfig(cell="lstm", state_size=3), TaskShape(2, 2), tf.float64)
        inputs, labels = tf.constant(example.inputs, ids), tf.constant(example.labels, ids)
        window = Window(inputs, labels, lstm_model.zero_state(BATCH), tf.constant([0, 0]))
        signal = error_signal_of(lstm_model, window)
        encoded = lstm_model.encode(inputs, window.key)
        before = static(lstm_model.cell, encoded[:-lag], window.state, None).final_state
        outputs = static(lstm_model.cell, encoded[-lag:], before, None).outputs
        head = lstm_model.head
        loss = head.losses(head.logits(outputs), labels[-lag:])[-1]
        stream = np.random.default_rng(3)
        snapshot = make_snapshot(lstm_model.variables)
        values = snapshot.values.values()
        session.run(snapshot.restore, {v: stream.normal(size=v.shape) for v in values})
        state = session.run(before)
        squares = np.zeros(BATCH)
        for part, unit in itertools.product((0, 1), range(3)):
            moved = []
            for sign in (1, -1):
                parts = [value.copy() for value in state]
                parts[part][:, unit] += sign * change
                moved.append(session.run(loss, dict(zip(before, parts, strict=True))))
            squares += ((moved[0] - moved[1]) / (2 * change)) ** 2
        assert session.run(signal)[lag] == pytest.approx(np.sqrt(squares).mean(), rel=1e-6)


def test_error_signal_of_padded_rows_is_of_their_last_loss_that_counts() -> None:
    """As if each row were alone and ended there. The content of the padding has no effect."""
    example, last = Example(4), np.array([3, 1, 0, 2, -1])  # of the last row nothing counts
    weights = np.zeros([TIME, BATCH])
    counted = np.flatnonzero(last >= 0)
    weights[last[counted], counted] = 0.5
    weights[0, 0] = 1  # a loss before the last one
    alone = [
        error_signal(
            example.weights,
            example.inputs[: last[row] + 1, [row]],
            example.labels[: last[row] + 1, [row]],
            example.state[[row]],
        )
        for row in counted
    ]
    expected = [
        np.mean([signal[lag] for signal in alone if len(signal) > lag]) for lag in range(TIME)
    ]
    for labels in (example.labels, np.where(weights > 0, example.labels, 1 - example.labels)):
        with tf.Graph().as_default(), tf.Session() as session:
            model = Model(
                ModelConfig(cell="basic_rnn", state_size=STATE), TaskShape(2, 2), tf.float64
            )
            window = Window(
                tf.constant(example.inputs, tf.int32),
                tf.constant(labels, tf.int32),
                tf.constant(example.state),
                tf.constant([0, 0]),
                tf.constant(weights),
            )
            signal = error_signal_of(model, window)
            none_so_long = error_signal_of(
                model, window._replace(weights=tf.constant(weights * (last < 2)))
            )
            snapshot = make_snapshot(model.variables)
            values = dict(zip(snapshot.values.values(), example.weights, strict=True))
            session.run(snapshot.restore, values)
            np.testing.assert_allclose(session.run(signal), expected, rtol=0, atol=1e-12)
            found = session.run(none_so_long)
        assert np.isfinite(found[:2]).all()
        assert np.isnan(found[2:]).all()
