"""Stacks of layers, and embeddings, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_graphs.config import ModelConfig, Unroll
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from tests.graphs import (
    ALL_UNROLLS,
    FULL,
    SHAPE,
    assert_is_reference,
    close,
    draw_example,
    run_steps,
)
from tests.layers_reference import pairs

WAYS = [(unroll, FULL) for unroll in ALL_UNROLLS]


@pytest.mark.parametrize(
    ("cell", "sizes"), [("scratch", (3, 2, 4)), ("gru", (2, 3)), ("basic_lstm", (2, 3))]
)
def test_a_stack_is_its_layers_one_over_the_other(cell: str, sizes: tuple[int, ...]) -> None:
    config = ModelConfig(cell=cell, state_size=sizes)
    assert_is_reference(config, run_steps(config, draw_example(0), WAYS), WAYS)


def test_a_projection_is_what_the_layer_above_reads() -> None:
    config = ModelConfig(cell="lstm", state_size=(3, 2), projection=2, peepholes=True)
    ran = run_steps(config, draw_example(1), WAYS[2:])
    assert ran.weights[6].shape == (2 + 2, 8)  # the second kernel, on projections of 2
    assert_is_reference(config, ran, WAYS[2:])


def test_layers_of_one_size_are_one_size() -> None:
    for config in (
        ModelConfig(cell="gru", state_size=4),
        ModelConfig(cell="gru", state_size=(4,)),
    ):
        with tf.Graph().as_default():
            assert Model(config, SHAPE, tf.float64).cell.state_size == 4


def test_each_layer_has_a_cell_and_variables_of_its_own() -> None:
    config = ModelConfig(cell="gru", state_size=(3, 3, 3))
    with tf.Graph().as_default():
        model = Model(config, SHAPE, tf.float64)
        stack = model.cell
        cells = {id(cell) for cell in stack._cells}
        names = [variable.op.name for variable in model.variables]
        first, second = ({id(variable) for variable in cell.variables} for cell in stack._cells[:2])
    assert len(cells) == 3
    assert not first & second
    assert len(first) == len(second) == 4
    assert len(set(names)) == len(names) == 3 * 4 + 2
    for index in range(3):
        own = [name for name in names if name.startswith(f"model/layer_{index}/")]
        assert len(own) == 4, names


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
def test_a_second_application_makes_no_variables(unroll: str) -> None:
    config = ModelConfig(cell="basic_lstm", state_size=(3, 2), embedding=2)
    with tf.Graph().as_default():
        model = Model(config, SHAPE, tf.float64)
        before = list(tf.global_variables())
        inputs = model.encode(tf.zeros([4, 2], tf.int32), tf.constant([0, 0]))
        for _ in range(2):
            model.unrolls[unroll](model.cell, inputs, model.zero_state(2), None)
        assert list(tf.global_variables()) == before
        assert before == model.variables


@pytest.mark.parametrize("cell", ["basic_rnn", "gru"])
def test_an_embedding_is_one_hot_inputs_times_its_matrix(cell: str) -> None:
    """Its gradient too, dense, for ids that come often, once and never."""
    shape = TaskShape(6, 2)
    config = ModelConfig(cell=cell, state_size=3, embedding=2)
    example = draw_example(3, shape=shape)
    example.inputs[example.inputs == 5] = 0
    ran = run_steps(config, example, WAYS, shape)
    assert_is_reference(config, ran, WAYS)
    embedded = ran.example._replace(inputs=np.eye(6)[example.inputs] @ ran.weights[0])
    plain = pairs(ModelConfig(cell=cell, state_size=3), ran.weights[1:], embedded)
    for step in ran.steps:
        close(step.losses, plain.losses)
        assert isinstance(step.gradients[0], np.ndarray)
        assert not step.gradients[0][5].any()
        assert step.gradients[0][0].all()


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
def test_features_are_read_as_they_are(unroll: Unroll) -> None:
    shape = TaskShape(4, 3, "features")
    config = ModelConfig(cell="gru", state_size=2)
    ways = [(unroll, FULL)]
    assert_is_reference(config, run_steps(config, draw_example(4, shape=shape), ways, shape), ways)
