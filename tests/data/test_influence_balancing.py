"""Influence balancing: its cell and loss against NumPy, and the paper's claim on truncation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.step import Step, Window, make_step
from tests.graphs import ALL_UNROLLS, FULL, close

N, POSITIVE = 23, 10
SIGNS = np.array([1.0] * POSITIVE + [-1.0] * (N - POSITIVE))
A = np.array(
    [[0.5 if column in (row, row + 1) else 0.0 for column in range(N)] for row in range(N)]
)


def graph_step(
    unroll: Unroll, truncation: TruncationConfig, state: Any, targets: Any, theta: float
) -> Step:
    """The values of one step, float64; `state` None is the cell's own first state."""
    length, batch = truncation.context_steps + len(targets), targets.shape[1]
    config = ModelConfig(cell="influence_balancing", state_size=N)
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(config, TaskShape(1, 1, labels="values"), tf.float64)
        first = model.zero_state(batch) if state is None else tf.constant(state)
        window = Window(
            tf.zeros([length, batch], tf.int32), tf.constant(targets), first, tf.constant([0, 0])
        )
        fetches = make_step(model, model.unrolls[unroll], truncation)(window)
        (variable,) = model.variables  # θ and nothing else: the head learns nothing
        snapshot = make_snapshot(model.variables)
        session.run(snapshot.restore, {snapshot.values[variable.op.name]: theta})
        values: Step = session.run(fetches)
    return values


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
@pytest.mark.parametrize(
    "truncation", [FULL, TruncationConfig(kind="true_bptt", depth=2)], ids=["full", "true_bptt"]
)
def test_step_is_the_linear_systems(unroll: Unroll, truncation: TruncationConfig) -> None:
    stream, theta = np.random.default_rng(0), 0.3
    state, targets = stream.normal(size=[2, N]), stream.normal(size=[5, 2])
    step = graph_step(unroll, truncation, state, targets, theta)
    states = [state]
    for _ in targets:
        states.append(states[-1] @ A.T + theta * SIGNS)
    errors = np.array([after[:, 0] for after in states[1:]]) - targets  # of ½(s_1 − y)²
    influence = [(np.linalg.matrix_power(A, lag) @ SIGNS)[0] for lag in range(5)]
    credit = definition(truncation, 5)
    gradient = sum(
        errors[t].sum() / errors.size * credit[t, s] * influence[t - s]
        for t in range(5)
        for s in range(t + 1)
    )
    close(step.losses, errors**2 / 2)
    close(step.final_state, states[-1])
    close(step.gradients[0], gradient)


def test_the_first_state_is_ones() -> None:
    step = graph_step("static", FULL, None, np.ones([1, 1]), 0.0)
    close(step.final_state, np.ones([1, N]) @ A.T)


@pytest.mark.parametrize(("depth", "right"), [(1, False), (40, False), (41, True), (80, True)])
def test_truncation_below_41_steps_has_the_wrong_sign(depth: int, right: bool) -> None:
    """At θ = 0.5 and its fixed state; θ = −1/6 is where s_1, which is −6 θ, is the target."""
    theta, target = 0.5, np.ones([1, 1])
    fixed = theta * np.linalg.solve(np.eye(N) - A, SIGNS)[None]
    assert fixed[0, 0] == pytest.approx(-6 * theta, abs=1e-12)
    truncation = TruncationConfig(kind="true_bptt", depth=depth, context=True)
    step = graph_step("dynamic", truncation, fixed, target, theta)
    assert step.loss == pytest.approx((fixed[0, 0] - 1) ** 2 / 2, abs=1e-10)
    assert (step.gradients[0] > 0) == right  # θ is to fall, from 0.5 to −1/6


def test_an_initializer_that_would_draw_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"model.initializer: every weight .* got orthogonal"):
        make_workload(load_config("influence_balancing", ["model.initializer=orthogonal"]))
