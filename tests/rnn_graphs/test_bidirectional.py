"""Bidirectional layers: two passes in NumPy, in every unroll; and the configs that refuse them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.errors import UsageError
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from tests.conftest import small_config
from tests.graphs import (
    ALL_UNROLLS,
    FULL,
    SHAPE,
    Way,
    assert_is_reference,
    draw_example,
    run_steps,
)

WAYS = [(unroll, FULL) for unroll in ALL_UNROLLS]
LENGTHS = np.array([4, 1, 3])


@pytest.mark.parametrize(
    ("keys", "ways"),
    [
        ({"cell": "scratch", "state_size": 3}, WAYS),
        ({"cell": "basic_lstm", "state_size": 2, "embedding": 2}, WAYS),
        ({"cell": "gru", "state_size": (2, 3)}, WAYS[1:2]),
        (
            {"cell": "lstm", "state_size": (2, 2), "projection": 3, "input_keep_prob": 0.7,
             "state_keep_prob": 0.6, "output_keep_prob": 0.8},
            WAYS[::2],
        ),
        pytest.param({"cell": "lstm", "state_size": (2, 2), "input_keep_prob": 0.7}, WAYS,
                     marks=pytest.mark.slow),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_every_unroll_is_two_passes(keys: dict[str, Any], ways: list[Way], lengths: Any) -> None:
    config = ModelConfig(bidirectional=True, **keys)
    example = draw_example(0, time=4)._replace(lengths=lengths)
    if lengths is not None:
        counts = np.arange(4)[:, None] < lengths
        example = example._replace(weights=counts.astype(np.float64))
    assert_is_reference(config, run_steps(config, example, ways), ways)


def test_each_output_has_read_every_input() -> None:
    config = ModelConfig(cell="gru", state_size=2, bidirectional=True)
    example = draw_example(1)
    (before,) = run_steps(config, example, WAYS[:1]).steps
    for time in (0, 4):
        inputs = example.inputs.copy()
        inputs[time] = (inputs[time] + 1) % 3
        (after,) = run_steps(config, example._replace(inputs=inputs), WAYS[:1]).steps
        assert not np.isclose(before.losses, after.losses, rtol=0, atol=1e-9).any()


def test_directions_and_layers_have_variables_of_their_own() -> None:
    config = ModelConfig(cell="basic_rnn", state_size=(3, 2), bidirectional=True)
    with tf.Graph().as_default():
        model = Model(config, SHAPE, tf.float64)
        names = [variable.op.name for variable in model.variables]
        shapes = [tuple(variable.shape.as_list()) for variable in model.variables]
    assert len(set(names)) == len(names)
    # [inputs + state, state]; the second layer reads both outputs of the first.
    first, second = [(3 + 3, 3), (3,)], [(6 + 2, 2), (2,)]
    assert shapes == [*first * 2, *second * 2, (4, 2), (2,)]


def test_nothing_is_carried() -> None:
    config = ModelConfig(cell="basic_lstm", state_size=(3, 2), bidirectional=True)
    ran = run_steps(config, draw_example(2), WAYS)
    assert ran.example.state == []
    assert all(step.final_state == [] for step in ran.steps)


def test_a_task_that_carries_its_state_refuses_it() -> None:
    config = small_config("model.bidirectional=true")
    with pytest.raises(
        UsageError, match=r"model\.bidirectional: binary_dependency carries the state"
    ):
        make_workload(config)


def test_masked_padding_is_refused_as_it_would_be_read_first() -> None:
    config = ModelConfig(cell="gru", state_size=2, bidirectional=True)
    example = draw_example(3, time=4)._replace(
        weights=(np.arange(4)[:, None] < LENGTHS).astype(float)
    )
    masked, shortened = (
        run_steps(config, one, WAYS[:1]).steps[0]
        for one in (example, example._replace(lengths=LENGTHS))
    )
    assert not np.isclose(masked.losses[0, 1:], shortened.losses[0, 1:]).any()
    task = SimpleNamespace(
        kind="sentences", carries_state=False, inputs="ids", labels="ids", held_out=(),
        windows=lambda *_: 1, example_lengths=None, left_out=lambda *_: 0.0, notes=(),
    )  # fmt: skip
    task.make = lambda: task
    for padding, works in (("mask", False), ("sequence_length", True)):
        small = small_config("model.bidirectional=true", f"graph.padding={padding}")
        of_sentences = small.model_copy(update={"task": task})
        if works:
            assert make_workload(of_sentences).updates == small.training.epochs
        else:
            with pytest.raises(UsageError, match=r"graph\.padding: the backward direction"):
                make_workload(of_sentences)


@pytest.mark.parametrize(
    "truncation",
    [
        ("truncation.depth=1",),
        ("truncation.kind=true_bptt", "truncation.depth=2"),
        ("truncation.kind=artbp", "truncation.cut_probability=0.5"),
    ],
    ids=str,
)
def test_so_does_a_truncation_that_cuts(truncation: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="a bidirectional graph has errors"):
        small_config("model.bidirectional=true", *truncation)
