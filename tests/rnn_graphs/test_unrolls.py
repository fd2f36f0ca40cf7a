"""Every cell and unroll: one training step against the NumPy reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Step, Window, make_step
from rnn_graphs.unrolls import UNROLLS
from tests.numpy_reference import Array, Weights, draw_weights, train_step

CELLS: tuple[str, ...] = ("scratch", "basic_rnn")
ALL_UNROLLS: tuple[Unroll, ...] = ("scratch", "static", "dynamic")


class Example:
    """Weights, a window and a state, drawn from a seed."""

    def __init__(
        self, seed: int, *, time: int = 6, batch: int = 5, state_size: int = 4,
        num_inputs: int = 3, num_classes: int = 2,
    ) -> None:  # fmt: skip
        stream = np.random.default_rng(seed)
        self.num_inputs, self.num_classes = num_inputs, num_classes
        self.weights = draw_weights(stream, num_inputs, state_size, num_classes)
        self.inputs = stream.integers(0, num_inputs, [time, batch])
        self.labels = stream.integers(0, num_classes, [time, batch])
        self.state: Array = stream.uniform(-1, 1, [batch, state_size])


def graph_step(example: Example, cell: str, unroll: Unroll, dtype: tf.DType = tf.float64) -> Step:
    """The values of one training step in a graph."""
    with tf.Graph().as_default(), tf.Session() as session:
        model_config = ModelConfig(cell=cell, state_size=example.state.shape[1])
        shape = TaskShape(example.num_inputs, example.num_classes)
        model = Model(model_config, shape, dtype)
        step = make_step(model, UNROLLS[unroll], TruncationConfig(kind="tf_style"))
        window = Window(
            tf.constant(example.inputs, tf.int32),
            tf.constant(example.labels, tf.int32),
            tf.constant(example.state, dtype),
            tf.constant([0, 0]),
        )
        fetches = step(window)
        snapshot = make_snapshot(model.variables)
        feeds = dict(zip(snapshot.values.values(), example.weights, strict=True))
        session.run(snapshot.restore, feeds)
        values: Step = session.run(fetches)
    return values


def assert_is_reference(example: Example, step: Step, tolerance: float = 1e-10) -> None:
    expected = train_step(example.weights, example.inputs, example.labels, example.state)
    np.testing.assert_allclose(step.losses, expected.losses, rtol=0, atol=tolerance)
    np.testing.assert_allclose(step.loss, expected.loss, rtol=0, atol=tolerance)
    np.testing.assert_allclose(step.final_state, expected.final_state, rtol=0, atol=tolerance)
    for name, ours, theirs in zip(
        Weights._fields, step.gradients, expected.gradients, strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
@pytest.mark.parametrize("cell", CELLS)
class TestEveryCellAndUnroll:
    @settings(max_examples=8)
    @given(
        seed=st.integers(0, 1000),
        time=st.integers(1, 9),
        batch=st.integers(1, 6),
        state_size=st.integers(1, 6),
        num_inputs=st.integers(1, 4),
        num_classes=st.integers(2, 4),
    )
    def test_losses_gradients_and_final_state_are_the_references(
        self,
        cell: str,
        unroll: Unroll,
        seed: int,
        time: int,
        batch: int,
        state_size: int,
        num_inputs: int,
        num_classes: int,
    ) -> None:
        example = Example(
            seed, time=time, batch=batch, state_size=state_size, num_inputs=num_inputs,
            num_classes=num_classes,
        )  # fmt: skip
        assert_is_reference(example, graph_step(example, cell, unroll))

    def test_float32_gives_the_same_but_for_its_precision(
        self, cell: str, unroll: Unroll
    ) -> None:  # fmt: skip
        example = Example(1)
        step = graph_step(example, cell, unroll, tf.float32)
        assert step.loss.dtype == np.float32
        assert_is_reference(example, step, 1e-6)

    def test_two_windows_with_the_state_carried_are_one_long_forward_pass(
        self, cell: str, unroll: Unroll
    ) -> None:
        whole, first, second = Example(2, time=8), Example(2, time=8), Example(2, time=8)
        first.inputs, first.labels = whole.inputs[:4], whole.labels[:4]
        second.inputs, second.labels = whole.inputs[4:], whole.labels[4:]
        one = graph_step(first, cell, unroll)
        second.state = one.final_state
        two = graph_step(second, cell, unroll)
        together = graph_step(whole, cell, unroll)
        np.testing.assert_allclose(
            np.concatenate([one.losses, two.losses]), together.losses, rtol=0, atol=1e-12
        )
        np.testing.assert_allclose(two.final_state, together.final_state, rtol=0, atol=1e-12)


def test_the_order_of_the_variables_is_cell_then_head() -> None:
    for cell in CELLS:
        with tf.Graph().as_default():
            model = Model(ModelConfig(cell=cell, state_size=5), TaskShape(3, 2), tf.float64)
        shapes = [tuple(variable.shape.as_list()) for variable in model.variables]
        assert shapes == [(8, 5), (5,), (5, 2), (2,)]
