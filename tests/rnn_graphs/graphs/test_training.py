"""rnn_graphs/graphs/training.py: the whole graph, however it is unrolled, looped and compiled."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf
from tests.conftest import small_config

UPDATES = 200


@functools.cache
def curve(*overrides: str) -> NDArray[np.floating]:
    """The losses of the blog's first 200 updates, batch 200, from seed 0."""
    size = ["task.size=200000", "execution.iterations_per_loop=100"]
    config = load_config("r2rt_n5", [*size, "execution.xla=off", *overrides])
    work, num_steps = make_workload(config), config.graph.num_steps
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        parts = [
            session.train(rows.windows(first, session.iterations, num_steps), session.iterations)[
                "loss"
            ]
            for first in range(0, UPDATES, session.iterations)
        ]
    return np.concatenate(parts)


@pytest.mark.parametrize("execution", ["loop=in_graph", "loop=per_step", "xla=on"])
@pytest.mark.parametrize("unroll", ["scratch", "static", "dynamic"])
@pytest.mark.parametrize("cell", ["scratch", "basic_rnn"])
def test_the_first_200_updates_have_the_same_losses(
    cell: str, unroll: str, execution: str
) -> None:  # fmt: skip
    expected = curve("model.cell=scratch", "graph.unroll=scratch", "execution.loop=per_step")
    ours = curve(f"model.cell={cell}", f"graph.unroll={unroll}", f"execution.{execution}")
    assert ours.shape == (UPDATES,)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


def test_xla_compiles_a_single_step_too() -> None:
    ours = curve("execution.loop=per_step", "execution.xla=on")
    np.testing.assert_allclose(ours, curve("execution.loop=per_step"), rtol=0, atol=1e-4)


def test_these_updates_learn_something() -> None:
    losses = curve("execution.loop=in_graph")
    assert losses[:20].mean() > 0.65
    assert losses[-20:].mean() < 0.63


def test_other_seeds_have_other_curves() -> None:
    config = small_config()
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    window = rows.windows(0, 10, config.graph.num_steps)
    with TrainingSession(build(config, work), 1) as session:
        losses = []
        for seed in range(2):
            session.initialize(seed)
            losses.append(session.train(window, 10)["loss"])
    assert not np.isclose(losses[0], losses[1]).any()


def test_the_graph_is_finalized() -> None:
    config = small_config()
    graph = build(config, make_workload(config)).graph
    assert graph.finalized
    with graph.as_default(), pytest.raises(RuntimeError, match="finalized"):
        tf.constant(1)


@pytest.mark.parametrize("xla", ["off", "on"])
def test_fewer_windows_than_there_is_room_for_are_trained_on_and_nothing_else(xla: str) -> None:
    count = 3
    results = []
    for room in (10, count):
        config = small_config(f"execution.iterations_per_loop={room}", f"execution.xla={xla}")
        work = make_workload(config)
        rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
        with TrainingSession(build(config, work), 1) as session:
            session.initialize(0)
            losses = session.train(rows.windows(0, count, config.graph.num_steps), count)["loss"]
            results.append({"losses": losses, **session.variables()})
    roomy, tight = results
    assert roomy["losses"].shape == (count,)
    for name, value in roomy.items():
        np.testing.assert_allclose(value, tight[name], rtol=0, atol=1e-6, err_msg=name)


def test_the_state_stays_until_it_is_reset() -> None:
    config = small_config()
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        session.train(rows.windows(0, 10, config.graph.num_steps), 10)["loss"]
        before = session.variables()
        assert before["state/part_0"].all()
        session.reset_state()
        after = session.variables()
    assert not after.pop("state/part_0").any()
    for name, value in after.items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


@pytest.mark.parametrize("kind", ["sgd", "momentum", "adagrad", "adam", "rmsprop"])
def test_a_restored_graph_goes_on_bit_for_bit(kind: str) -> None:
    config = small_config(f"optimizer.kind={kind}", "optimizer.learning_rate=0.05")
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    first, second = (rows.windows(number, 10, config.graph.num_steps) for number in (0, 10))
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        session.train(first, 10)
        saved = session.variables()
        expected = session.train(second, 10)["loss"]
        session.initialize(1)
        session.train(first, 10)
        session.restore(saved)
        np.testing.assert_array_equal(session.train(second, 10)["loss"], expected)


def test_variables_of_another_shape_are_refused_by_name() -> None:
    config = small_config()
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        variables = session.variables()
        name = next(iter(variables))
        with pytest.raises(
            ValueError,
            match=rf"{name}: expected float32 of shape \(6, 4\), found float64 of shape \(2, 2\)",
        ):
            session.restore(variables | {name: np.zeros([2, 2])})
        del variables[name]
        with pytest.raises(ValueError, match=f"{name}: expected float32 of shape .* found nothing"):
            session.restore(variables)


@pytest.mark.parametrize("execution", ["loop=in_graph", "loop=per_step", "xla=on"])
def test_warming_up_leaves_no_trace(execution: str) -> None:
    config = small_config("optimizer.kind=adam", f"execution.{execution}")
    work = make_workload(config)
    windows = cut_into_rows(work.task.draw(training_stream(0)), 20).windows(0, 1, 5)
    ends = []
    for warm in (True, False):
        with TrainingSession(build(config, work), 1) as session:
            if warm:
                session.warm_up()
            session.initialize(3)
            session.train(windows, 1)
            ends.append(session.variables())
    assert ends[0].keys() == ends[1].keys()
    for name, value in ends[0].items():
        np.testing.assert_array_equal(value, ends[1][name], err_msg=name)
