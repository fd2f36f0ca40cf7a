"""Layouts of cells: the shapes of the variables, and which state units a parameter reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_graphs.cells.layouts import colors
from rnn_graphs.config import ModelConfig
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from tests.layers_reference import Array, Example, forward

MODELS: list[dict[str, Any]] = [
    {"cell": "scratch", "state_size": 3},
    {"cell": "scratch", "state_size": 4, "activation": "crelu"},
    {"cell": "basic_rnn", "state_size": 3, "embedding": 2},
    {"cell": "gru", "state_size": 3},
    {"cell": "basic_lstm", "state_size": 3},
    {"cell": "lstm", "state_size": 3, "peepholes": True},
    {"cell": "lstm", "state_size": 3, "projection": 2},
    {"cell": "gru", "state_size": (2, 3)},
    {"cell": "lstm", "state_size": (2, 3), "peepholes": True, "projection": 2, "embedding": 2},
]
SHAPE = TaskShape(3, 2)


@pytest.mark.parametrize("keys", MODELS, ids=str)
def test_shapes_are_those_of_the_cell(keys: dict[str, Any]) -> None:
    with tf.Graph().as_default():
        model = Model(ModelConfig(**keys), SHAPE, tf.float64)
        layout = model.recurrent_layout
        shapes = tuple(tuple(one.shape.as_list()) for one in model.recurrent_variables)
        units = sum(int(leaf.shape[1]) for leaf in tf.nest.flatten(model.zero_state(1)))
    assert layout.shapes == shapes
    assert layout.units == units
    assert layout.parameters == sum(int(np.prod(shape)) for shape in shapes)


def state_after(config: ModelConfig, weights: list[Array], state: list[Array], x: Array) -> Array:
    """The new state of one application as one vector, [rows, units], by the reference."""
    example = Example(x, np.zeros((1, 1), int), state)
    rows = [weight[None] for weight in weights]
    _, state = forward(config, lambda _: rows, example)
    return np.asarray(np.concatenate(state, -1)[0])


@pytest.mark.parametrize("keys", MODELS, ids=str)
def test_a_parameter_reaches_the_units_that_move_with_it(keys: dict[str, Any]) -> None:
    """By complex steps on the reference: an entry is reached where some input moves it."""
    config, stream = ModelConfig(**keys), np.random.default_rng(0)
    with tf.Graph().as_default():
        layout = Model(config, SHAPE, tf.float64).recurrent_layout
    heads = [np.zeros([config.projection or config.state_sizes[-1], 2]), np.zeros(2)]
    moved = np.zeros([layout.units, layout.parameters], bool)
    between = np.zeros([layout.units, layout.units], bool)
    for _ in range(20):
        weights = [stream.normal(0, 0.5, shape).astype(complex) for shape in layout.shapes]
        weights = [*weights, *heads]
        state = [np.asarray(part) for part in leaves(config, stream)]
        x = stream.integers(0, 3, [1, 1])
        places = [(w, i) for w in weights[:-2] for i in range(w.size)]
        for place, (weight, index) in enumerate(places):
            weight.flat[index] += 1e-30j
            moved[:, place] |= state_after(config, weights, state, x)[0].imag != 0
            weight.flat[index] = weight.flat[index].real
        places = [(leaf, i) for leaf in state for i in range(leaf.size)]
        for place, (leaf, index) in enumerate(places):
            leaf.flat[index] += 1e-30j
            between[:, place] |= state_after(config, weights, state, x)[0].imag != 0
            leaf.flat[index] = leaf.flat[index].real
    expected = layout.by_parameter(layout.reach)
    np.testing.assert_array_equal(moved | expected, expected)  # nothing is missed
    if not config.embedding and config.activation is None:
        np.testing.assert_array_equal(moved, expected)  # and nothing is kept that cannot move
    np.testing.assert_array_equal(between | layout.between, layout.between)
    assert between.sum() == layout.between.sum()


def leaves(config: ModelConfig, stream: np.random.Generator) -> list[Array]:
    parts = []
    for size in config.state_sizes:
        sizes = [size, config.projection or size] if "lstm" in config.cell else [size]
        parts += [stream.uniform(-1, 1, [1, part]).astype(complex) for part in sizes]
    return parts


def test_colors_keep_apart_what_a_parameter_reaches_together() -> None:
    mask = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    assert colors(mask).tolist() == [0, 0, 1, 0]
