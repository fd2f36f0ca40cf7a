"""Layer normalization and the forget bias, against NumPy, with and without truncation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.cells.layer_norm import normalize
from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.tf1 import tf
from tests.conftest import small_config
from tests.graphs import assert_is_reference, draw_example, run_steps


@pytest.mark.parametrize(
    ("model", "unroll", "truncation"),
    [
        ({"cell": "basic_rnn"}, "static", {"kind": "full"}),
        ({"cell": "scratch", "activation": "relu"}, "scratch", {"kind": "true_bptt", "depth": 3}),
        ({"cell": "gru"}, "dynamic", {"kind": "tf_style", "depth": 3}),
        ({"cell": "gru"}, "static", {"kind": "true_bptt", "depth": 2}),
        ({"cell": "gru"}, "scan", {"kind": "williams_peng", "depth": 4, "stride": 2}),
        ({"cell": "basic_lstm"}, "dynamic", {"kind": "full"}),
        ({"cell": "lstm", "forget_bias": 0.5}, "static",
         {"kind": "tf_style", "depth": 2}),
        ({"cell": "scratch_gru"}, "static", {"kind": "full"}),
        ({"cell": "scratch_gru", "activation": "relu"}, "dynamic", {"kind": "tf_style"}),
        ({"cell": "scratch_gru"}, "scratch", {"kind": "true_bptt", "depth": 3}),
        ({"cell": "scratch_gru"}, "scan", {"kind": "full"}),
        ({"cell": "scratch_lstm"}, "static", {"kind": "tf_style"}),
        ({"cell": "scratch_lstm", "forget_bias": 0.5}, "dynamic", {"kind": "full"}),
        ({"cell": "scratch_lstm"}, "dynamic", {"kind": "true_bptt", "depth": 3}),
        ({"cell": "scratch_lstm"}, "static",
         {"kind": "williams_peng", "depth": 4, "stride": 2}),
        ({"cell": "gru"}, "static",
         {"kind": "adaptive", "tolerance": 0.5, "least": 1, "most": 3}),
    ],
    ids=str,
)  # fmt: skip
def test_the_step_is_numpys(model: dict[str, Any], unroll: Unroll, truncation: Any) -> None:
    config = ModelConfig(**model, state_size=3, layer_norm=True)
    style = TruncationConfig(**truncation)
    ways = [(unroll, style)]
    example = draw_example(3, time=6, context=style.context_steps)
    assert_is_reference(config, run_steps(config, example, ways), ways)


@pytest.mark.parametrize("cell", ["basic_lstm", "lstm", "scratch_lstm"])
def test_the_forget_bias_is_added_to_the_forget_gate(cell: str) -> None:
    config = ModelConfig(cell=cell, state_size=3, forget_bias=-0.7)
    ways: list[Any] = [("static", TruncationConfig(kind="full"))]
    assert_is_reference(config, run_steps(config, draw_example(3), ways), ways)


def test_each_row_has_mean_0_and_variance_1_before_gain_and_shift() -> None:
    z = np.random.default_rng(0).normal(3, 2, [5, 40])
    gain, shift = np.linspace(1, 2, 40), np.linspace(-1, 1, 40)
    with tf.Graph().as_default(), tf.Session() as session:
        found = session.run(normalize(*(tf.constant(part) for part in (z, gain, shift))))
    before = (found - shift) / gain
    np.testing.assert_allclose(before.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(before.var(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("cell", ["gru", "lstm", "scratch_gru", "scratch_lstm"])
def test_gains_start_as_ones_and_shifts_as_biases_do(cell: str) -> None:
    config = small_config(f"model.cell={cell}", "model.layer_norm=true")
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        found = {name: v for name, v in session.variables().items() if "Adagrad" not in name}
    gains = [value for name, value in found.items() if name.endswith("gain")]
    assert all((gain == 1).all() for gain in gains)
    shifts = {name: value for name, value in found.items() if name.endswith("shift")}
    assert len(gains) == len(shifts) == (2 if "gru" in cell else 1)
    for name, shift in shifts.items():
        assert (shift == (1 if "gates" in name else 0)).all()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cell": "lstm", "peepholes": True}, "layer_norm: a normalized cell has no peepholes"),
        ({"cell": "scratch", "activation": "crelu"}, "layer_norm: a normalized cell has one value"),
        ({"cell": "influence_balancing"}, "layer_norm is for scratch"),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig(**keys, state_size=4, layer_norm=True)
