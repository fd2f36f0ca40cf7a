"""Training with an influence: it is carried through loops, epochs and checkpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import Interrupted, UsageError
from experiments.training.runner import train
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.cells.traits import CELLS
from rnn_graphs.config import TruncationConfig
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation import kf_rtrl, uoro
from tests.conftest import StopAtSave, assert_same_end
from tests.numpy_reference import Array, Weights, one_hot, probabilities

NUM_STEPS, UPDATES, RATE = 2, 6, 0.25
TINY = (
    "model.state_size=3", f"graph.num_steps={NUM_STEPS}", "graph.batch_size=4", "task.size=200",
    "graph.precision=float64", "optimizer.kind=sgd", f"optimizer.learning_rate={RATE}",
    "execution.iterations_per_loop=3", "execution.xla=off",
)  # fmt: skip


def config_of(*overrides: str) -> Config:
    return load_config("r2rt_n5", [*TINY, *overrides])


def trained(config: Config) -> list[Weights]:
    """The model's weights before training and after UPDATES updates."""
    return [weights_of(variables) for variables in all_trained(config)]


def all_trained(config: Config) -> list[dict[str, Array]]:
    """Every variable before training and after UPDATES updates, the influence included."""
    work, num_steps = make_workload(config), config.graph.num_steps
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        variables = [session.variables()]
        for first in range(0, UPDATES, session.iterations):
            session.train(rows.windows(first, session.iterations, num_steps), session.iterations)
        variables.append(session.variables())
    return variables


def weights_of(variables: dict[str, Array]) -> Weights:
    """The model's, which come first; slots and the rest follow."""
    names = [name for name in variables if re.fullmatch(r"model/.*/(W|b)", name)]
    return Weights(*[variables[name] for name in names])


def rtrl_in_numpy(first: Weights, inputs: Any, labels: Any) -> Weights:
    """Williams & Zipser 1989, one step at a time, with an update each NUM_STEPS steps.

    J [batch, rows of W + 1, columns, units] is the influence of W and b on the state.
    """
    weights = Weights(*[weight.copy() for weight in first])
    batch, units = inputs.shape[1], len(first.b)
    h, J = np.zeros([batch, units]), np.zeros([batch, len(first.W) + 1, units, units])
    for start in range(0, UPDATES * NUM_STEPS, NUM_STEPS):
        found = Weights(*[np.zeros_like(weight) for weight in weights])
        window = slice(start, start + NUM_STEPS)
        for x, y in zip(inputs[window], labels[window], strict=True):
            before = np.concatenate([one_hot(x, 2), h], axis=1)
            h = np.tanh(before @ weights.W + weights.b)
            v = np.pad(before, [(0, 0), (0, 1)], constant_values=1)
            immediate = np.einsum("bk,ij->bkij", v, np.eye(units))
            slope = (1 - h**2)[:, None, None]
            J = slope * (np.einsum("bkij,jl->bkil", J, weights.W[2:]) + immediate)
            at_logits = (probabilities(weights, h) - one_hot(y, 2)) / (batch * NUM_STEPS)
            found.U[:] += h.T @ at_logits
            found.c[:] += at_logits.sum(0)
            both = np.einsum("bl,bkil->ki", at_logits @ weights.U.T, J)
            found.W[:] += both[:-1]
            found.b[:] += both[-1]
        for weight, gradient in zip(weights, found, strict=True):
            weight -= RATE * gradient
    return weights


@pytest.mark.parametrize("execution", ["loop=in_graph", "loop=per_step"])
def test_rtrl_is_that_of_numpy_step_by_step_with_weights_that_move(execution: str) -> None:
    config = config_of("truncation.kind=rtrl", f"execution.{execution}")
    before, after = trained(config)
    sequence = make_workload(config).task.draw(training_stream(0))
    rows = cut_into_rows(sequence, config.graph.batch_size)
    expected = rtrl_in_numpy(before, rows.inputs.T, rows.labels.T)
    for ours, theirs, start in zip(after, expected, before, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
        assert np.abs(ours - start).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("unroll", ["scratch", "static", "dynamic"])
@pytest.mark.parametrize("loop", ["in_graph", "per_step"])
@pytest.mark.parametrize(
    "truncation", ["kind=rtrl", "kind=snap truncation.order=1", "kind=rflo truncation.leak=0.5"]
)
def test_no_way_to_train_changes_the_weights(truncation: str, loop: str, unroll: str) -> None:
    keys = f"truncation.{truncation}".split()
    ours = trained(config_of(*keys, f"execution.loop={loop}", f"graph.unroll={unroll}"))[1]
    for one, other in zip(ours, trained(config_of(*keys))[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def alternating(shape: list[int], key: Any, dtype: Any) -> Any:
    """Takes the place of random_signs, which draws other signs under XLA."""
    count = int(np.prod(shape))
    return tf.cast(tf.reshape(2 * ((tf.range(count) + key[1]) % 2) - 1, shape), dtype)


@pytest.mark.parametrize(
    "overrides",
    [
        "kind=rtrl",
        "kind=uoro",
        *(
            pytest.param(keys, marks=pytest.mark.slow)
            for keys in (
                "kind=rtrl graph.num_steps=1", "kind=rtrl model.cell=lstm graph.unroll=dynamic",
                "kind=rtrl model.state_size=[3,2] model.embedding=2 model.cell=gru",
                "kind=kf_rtrl", "kind=snap truncation.order=1", "kind=rflo truncation.leak=0.5",
            )
        ),
    ],
)  # fmt: skip
def test_xla_changes_nothing(overrides: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that has built other graphs before, where graphs of functions could abort."""
    for module in (uoro, kf_rtrl):
        monkeypatch.setattr(module, "random_signs", alternating)
    keys = f"truncation.{overrides}".split()
    (before, plain), (_, compiled) = (
        all_trained(config_of(*keys, f"execution.xla={xla}")) for xla in ("off", "on")
    )
    for name in before:
        np.testing.assert_allclose(compiled[name], plain[name], rtol=0, atol=1e-6, err_msg=name)
    assert max(np.abs(plain[name] - start).max() for name, start in before.items()) > 1e-2


@pytest.mark.parametrize("kind", ["rtrl", "uoro"])
def test_a_resumed_run_is_the_same_bit_for_bit(
    tmp_path: Path, kind: str, stop_at_save: StopAtSave, only_training: None
) -> None:
    config = config_of(
        f"truncation.kind={kind}", "training.epochs=2", "logging.every=5",
        "logging.checkpoint_seconds=0", "logging.tensorboard=false",
    )  # fmt: skip
    train(config, tmp_path / "whole")
    stop_at_save.arm(5)
    with pytest.raises(Interrupted):
        train(config, tmp_path / "cut")
    train(config, tmp_path / "cut")
    assert_same_end(tmp_path / "cut", tmp_path / "whole", [0])


def test_more_than_the_memory_limit_is_refused_with_the_numbers() -> None:
    config = config_of("truncation.kind=rtrl", "execution.memory_limit=4.0e-6")
    with pytest.raises(
        UsageError, match=r"takes 216 numbers, for 4 rows .* of 3 state units and 18"
    ):
        make_workload(config)
    make_workload(config_of("truncation.kind=uoro", "execution.memory_limit=4.0e-6"))


@pytest.mark.parametrize(
    ("experiment", "overrides", "reason"),
    [
        ("r2rt_n5", ["model.layer_norm=true"], "model.layer_norm: rtrl knows .* got True"),
        ("r2rt_n5", ["model.embedding=3", "model.train_embedding=false"], "train_embedding: rtrl"),
        ("numbers", [], "model.decoder: rtrl knows"),
    ],
)
def test_models_without_a_layout_are_refused(
    experiment: str, overrides: list[str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        load_config(experiment, ["truncation={kind: rtrl}", *overrides])


def test_a_cell_without_a_layout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "mine", replace(CELLS["gru"], layout=None))
    assert config_of("model.cell=mine").model.cell == "mine"
    with pytest.raises(
        UsageError, match=r"model.cell: rtrl needs .*scratch, basic_rnn, .*got mine"
    ):
        config_of("model.cell=mine", "truncation.kind=rtrl")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("model.cell=gru", "model.cell: kf_rtrl is for a cell .*scratch, basic_rnn"),
        ("model.activation=crelu model.state_size=4", "without crelu"),
        ("model.state_size=[3,3]", "model.state_size: kf_rtrl is for a single layer; got 2"),
        ("model.embedding=2", "model.embedding: kf_rtrl"),
    ],
)
def test_kf_rtrl_is_refused_where_it_has_no_factors(overrides: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        config_of("truncation.kind=kf_rtrl", *overrides.split())


def test_rflo_is_refused_with_dropout_of_outputs() -> None:
    with pytest.raises(UsageError, match="output_keep_prob: rflo"):
        config_of("truncation.kind=rflo", "truncation.leak=0.5", "model.output_keep_prob=0.5")


def test_a_task_of_examples_has_no_window_before() -> None:
    """Each window begins in the first state, so rtrl is full, and carries nothing."""
    assert not TruncationConfig(kind="rtrl").cuts
    config = load_config(
        "digits_lstm", ["truncation={kind: rtrl}", "execution.memory_limit=1.0e-9"]
    )
    make_workload(config)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "tolerance"), [("rtrl", 1e-3), ("uoro", 1e-3)])
def test_influence_balancing_ends_at_its_optimum(kind: str, tolerance: float) -> None:
    """θ → −1/6, where short truncation drives it away (Tallec & Ollivier 2018, section 4.1)."""
    config = load_config(
        "influence_balancing",
        [f"truncation.kind={kind}", "graph.num_steps=10", "task.size=40000", "execution.xla=off"],
    )
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        for first in range(0, work.updates, session.iterations):
            count = min(session.iterations, work.updates - first)
            session.train(rows.windows(first, count, 10), count)
        (theta,) = (v for name, v in session.variables().items() if name.endswith("/theta"))
    assert abs(theta + 1 / 6) < tolerance
