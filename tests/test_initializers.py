"""rnn_graphs/initializers.py: how training starts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.session import TrainingSession, build
from experiments.workload import make_workload
from rnn_graphs.config import Cell, Unroll
from tests.conftest import small_config

SHAPE = ("model.state_size=16", "graph.num_steps=2")


def first_weights(seed: int, *overrides: str) -> list[NDArray[np.float64]]:
    """Cell W, cell b, softmax W and softmax b of a graph that has just been initialised."""
    config = small_config(*SHAPE, *overrides)
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(seed)
        return list(session.variables().values())[:4]


@pytest.fixture(scope="module")
def weights() -> list[NDArray[np.float64]]:
    return first_weights(0)


@pytest.mark.parametrize("unroll", ["scratch", "static", "dynamic"])
@pytest.mark.parametrize("cell", ["scratch", "basic_rnn"])
def test_every_cell_and_unroll_starts_from_the_same_weights(
    weights: list[NDArray[np.float64]], cell: Cell, unroll: Unroll
) -> None:
    for ours, theirs in zip(
        first_weights(0, f"model.cell={cell}", f"graph.unroll={unroll}"), weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "override", ["execution.loop=per_step", "optimizer.kind=adam", "execution.xla=on"]
)
def test_so_does_every_way_to_run_them(
    weights: list[NDArray[np.float64]], override: str
) -> None:  # fmt: skip
    for ours, theirs in zip(first_weights(0, override), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_float64_starts_where_float32_does(weights: list[NDArray[np.float64]]) -> None:
    for ours, theirs in zip(first_weights(0, "graph.precision=float64"), weights, strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_array_equal(ours.astype(np.float32), theirs)


def test_seeds_differ(weights: list[NDArray[np.float64]]) -> None:
    other = first_weights(1)
    for number in (0, 2):
        assert not np.isclose(weights[number], other[number]).any()


def test_the_two_matrices_do_not_share_their_draws(weights: list[NDArray[np.float64]]) -> None:
    W, U = weights[0], weights[2]
    limits = [(6 / sum(matrix.shape)) ** 0.5 for matrix in (W, U)]
    assert not np.isclose(W.ravel()[: U.size] / limits[0], U.ravel() / limits[1]).any()


@pytest.mark.parametrize("number", [0, 2])
def test_weights_are_uniform_within_the_glorot_bound(
    weights: list[NDArray[np.float64]], number: int
) -> None:
    values = weights[number]
    bound = (6 / sum(values.shape)) ** 0.5
    assert abs(values).max() <= bound
    assert abs(values).max() > 0.9 * bound
    assert abs(values.mean()) < 5 * bound / (3 * values.size) ** 0.5


def test_biases_are_zero(weights: list[NDArray[np.float64]]) -> None:
    assert not weights[1].any()
    assert not weights[3].any()


def test_initialising_again_forgets_the_seed_before() -> None:
    config = small_config(*SHAPE)
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        before = session.variables()
        session.initialize(1)
        session.initialize(0)
        for name, value in session.variables().items():
            np.testing.assert_array_equal(value, before[name], err_msg=name)
