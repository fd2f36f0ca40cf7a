"""Every truncation on cells whose state has parts and layers, against the sum over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.gates import draw_gates
from tests.conftest import small_config
from tests.graphs import (
    ALL_UNROLLS,
    Way,
    assert_is_reference,
    close,
    draw_example,
    run_steps,
)
from tests.layers_reference import Array, gradient, pairs

TIME, BATCH = 6, 2
CELLS: dict[str, dict[str, Any]] = {
    "gru": {"cell": "gru", "state_size": 3},
    "scratch_gru": {"cell": "scratch_gru", "state_size": 3, "embedding": 2},
    "scratch_lstm": {"cell": "scratch_lstm", "state_size": 3},
    "basic_lstm": {"cell": "basic_lstm", "state_size": 3},
    "lstm": {"cell": "lstm", "state_size": 3, "projection": 2, "peepholes": True},
    "stack of gru": {"cell": "gru", "state_size": (3, 2), "embedding": 2},
    "stack of lstm": {"cell": "lstm", "state_size": (2, 3), "projection": 2, "embedding": 2},
    "stack of scratch": {"cell": "scratch", "state_size": (3, 2, 2), "activation": "relu"},
    "normalized gru": {"cell": "gru", "state_size": 3, "layer_norm": True},
    "gru with one mask": {
        "cell": "gru", "state_size": 3, "dropout_mask": "sequence",
        "input_keep_prob": 0.7, "state_keep_prob": 0.8, "output_keep_prob": 0.6,
    },
}  # fmt: skip


def way(unroll: Unroll, kind: str, **keys: Any) -> Way:
    return unroll, TruncationConfig(kind=kind, **keys)


# Every cell with every kind, and every kind with every unroll; each list has one context.
CASES: list[tuple[str, list[Way]]] = [
    (
        "gru",
        [
            way("scratch", "tf_style", depth=3),
            way("dynamic", "true_bptt", depth=2),
            way("static", "williams_peng", depth=4, stride=2),
        ],
    ),
    (
        "basic_lstm",
        [
            way("static", "tf_style", depth=2),
            way("scratch", "true_bptt", depth=3),
            way("dynamic", "williams_peng", depth=6, stride=3),
        ],
    ),
    (
        "lstm",
        [
            way("dynamic", "tf_style", depth=3),
            way("static", "true_bptt", depth=2),
            way("scratch", "williams_peng", depth=4, stride=2),
        ],
    ),
    ("stack of gru", [way("dynamic", "tf_style", depth=2), way("static", "true_bptt", depth=4)]),
    ("stack of gru", [way("dynamic", "williams_peng", depth=4, stride=2, context=True)]),
    ("stack of lstm", [way("static", "tf_style", depth=3), way("dynamic", "true_bptt", depth=3)]),
    ("stack of lstm", [way("static", "williams_peng", depth=6, stride=3, context=True)]),
    ("stack of scratch", [way(unroll, "true_bptt", depth=3) for unroll in ALL_UNROLLS]),
    ("basic_lstm", [way("dynamic", "true_bptt", depth=3, context=True)]),
    ("lstm", [way("static", "williams_peng", depth=9, stride=6)]),
]


@pytest.mark.parametrize(("cell", "ways"), CASES, ids=str)
def test_gradient_is_the_sum_over_pairs(cell: str, ways: list[Way]) -> None:
    config, context = ModelConfig(**CELLS[cell]), ways[0][1].context_steps
    example = draw_example(5, time=TIME, batch=BATCH, context=context)
    assert_is_reference(config, run_steps(config, example, ways), ways)


@pytest.mark.parametrize(
    ("cell", "unroll"),
    [("gru", "scratch"), ("lstm", "static"), ("stack of gru", "static"),
     ("stack of lstm", "dynamic"), ("normalized gru", "static"), ("gru with one mask", "dynamic")],
)  # fmt: skip
def test_random_cuts_weigh_the_pairs_by_their_gates(cell: str, unroll: Unroll) -> None:
    config, key, chance = ModelConfig(**CELLS[cell]), (2, 11), 0.3
    ways = [way(unroll, "artbp", cut_probability=chance)]
    example = draw_example(6, time=TIME, batch=5)
    ran = run_steps(config, example, ways, key=key)
    with tf.Graph().as_default(), tf.Session() as session:
        gates = session.run(draw_gates(chance, [TIME, 5], tf.constant(key), tf.float64))
    assert 0 < (gates == 0).mean() < 1
    credit = np.zeros([TIME, TIME, 5])  # [t, s, batch]
    for t in range(TIME):
        for s in range(t + 1):
            credit[t, s] = gates[s + 1 : t + 1].prod(axis=0)
    expected: list[Array] = gradient(pairs(config, ran.weights, ran.example), credit, None)
    for ours, theirs in zip(ran.steps[0].gradients, expected, strict=True):
        close(ours, theirs)


def test_truncations_differ_on_these_cases() -> None:
    """Otherwise the comparisons above would show nothing."""
    config = ModelConfig(**CELLS["stack of gru"])
    ways = [way("scratch", "full"), way("scratch", "tf_style", depth=3),
            way("scratch", "true_bptt", depth=3)]  # fmt: skip
    example = draw_example(5, time=TIME, batch=BATCH)
    full, *others = run_steps(config, example, ways).steps
    for other in others:
        close(other.losses, full.losses)
        for ours, theirs in zip(other.gradients[:-2], full.gradients[:-2], strict=True):
            assert abs(ours - theirs).max() > 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "truncation"),
    [
        ("state_size=[3,2] model.cell=gru model.embedding=2", "kind=true_bptt truncation.depth=3"),
        ("state_size=[3,2] model.cell=lstm model.projection=2 graph.unroll=dynamic",
         "kind=williams_peng truncation.depth=4 truncation.stride=2 truncation.context=true"),
        ("state_size=3 model.cell=basic_lstm graph.unroll=scratch", "kind=tf_style"),
    ],
)  # fmt: skip
def test_xla_trains_them_the_same(model: str, truncation: str) -> None:
    """Except random styles, because XLA has another generator."""
    losses = []
    for xla in ("off", "on"):
        config = small_config(
            "graph.num_steps=6", "graph.precision=float64", f"execution.xla={xla}",
            *f"model.{model} truncation.{truncation}".split(),
        )  # fmt: skip
        work = make_workload(config)
        rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
        windows = rows.windows(0, 10, 6, config.truncation.context_steps)
        with TrainingSession(build(config, work), 1) as session:
            session.initialize(0)
            losses.append(session.train(windows, 10)["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-10)
