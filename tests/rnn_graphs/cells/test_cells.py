"""Every cell and activation, in every unroll: one training step against NumPy."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rnn_graphs.cells.activations import ACTIVATIONS
from rnn_graphs.config import Activation, ModelConfig
from rnn_graphs.model import TaskShape
from tests.graphs import ALL_UNROLLS, FULL, Ran, assert_is_reference, draw_example, run_steps

WAYS = [(unroll, FULL) for unroll in ALL_UNROLLS]
CELLS: list[dict[str, Any]] = [
    {"cell": "scratch"},
    {"cell": "gru"},
    {"cell": "scratch_gru"},
    {"cell": "scratch_lstm"},
    {"cell": "basic_lstm"},
    {"cell": "lstm"},
    {"cell": "lstm", "peepholes": True},
    {"cell": "lstm", "projection": 2},
    {"cell": "lstm", "cell_clip": 0.4},
    {"cell": "lstm", "peepholes": True, "cell_clip": 0.4, "projection": 4},
]


@pytest.mark.parametrize("keys", CELLS, ids=str)
def test_every_unroll_gives_the_equations_of_the_cell(keys: dict[str, Any]) -> None:
    config = ModelConfig(state_size=3, **keys)
    assert_is_reference(config, run_steps(config, draw_example(0), WAYS), WAYS)


def steep(config: ModelConfig) -> Ran:
    """A step on large features, which take every activation to both of its ends."""
    shape = TaskShape(3, 2, "features")
    example = draw_example(1, time=3, shape=shape)
    return run_steps(config, example._replace(inputs=30 * example.inputs), WAYS[1:2], shape)


@pytest.mark.parametrize(
    ("cell", "activation"),
    [
        *[("scratch", activation) for activation in sorted(set(ACTIVATIONS) - {"crelu"})],
        ("basic_rnn", "relu"),
        ("gru", "leaky_relu"),
        ("gru", "elu"),
        ("basic_lstm", "softsign"),
        ("basic_lstm", "relu6"),
        ("lstm", "softplus"),
        ("lstm", "sigmoid"),
    ],
)
def test_every_activation_is_the_one_it_is_named_for(cell: str, activation: Activation) -> None:
    config = ModelConfig(cell=cell, state_size=2, activation=activation)
    assert_is_reference(config, steep(config), WAYS[1:2])


def test_crelu_gives_both_signs_of_half_as_many_units() -> None:
    config = ModelConfig(cell="scratch", state_size=4, activation="crelu")
    ran = run_steps(config, draw_example(2), WAYS)
    assert [weight.shape for weight in ran.weights] == [(3 + 4, 2), (2,), (4, 2), (2,)]
    assert_is_reference(config, ran, WAYS)


def test_the_cases_reach_both_sides_of_every_bend() -> None:
    """Otherwise relu6 could be relu, and clipping could do nothing, unnoticed."""
    (six,) = steep(ModelConfig(cell="scratch", state_size=2, activation="relu6")).steps
    assert {0, 6} < {float(value) for value in six.final_state[0].flat}
    config = ModelConfig(cell="lstm", state_size=3, cell_clip=0.4)
    clipped = run_steps(config, draw_example(0), WAYS[:1]).steps[0].final_state[0]
    assert {0.4} < {float(value) for value in abs(clipped).flat}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cell": "basic_rnn", "state_size": 4, "activation": "crelu"}, "only scratch can take"),
        ({"cell": "scratch", "state_size": 5, "activation": "crelu"}, "must be even; got 5"),
        ({"cell": "scratch", "state_size": [4, 3], "activation": "crelu"}, "even; got 4, 3"),
        ({"cell": "gru", "state_size": 4, "peepholes": True}, "peepholes is for lstm"),
        ({"cell": "basic_lstm", "state_size": 4, "cell_clip": 1}, "cell_clip is for lstm"),
        ({"cell": "scratch", "state_size": 4, "projection": 2}, "projection is for lstm"),
    ],
)
def test_what_a_cell_cannot_take_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModelConfig(**keys)
