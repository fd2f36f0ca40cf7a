"""Reading a model whose memory is built by hand: a line of units that hands each input on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.advice.memory import memory_of
from experiments.advice.reading import WARM_UP, WINDOWS, Reader, held_out
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training.workload import make_workload

UNITS = 4  # the last one holds the input 3 steps back
WIDTH = 12


def config_of(*overrides: str) -> Config:
    return load_config(
        "r2rt_n5",
        [
            "task.size=40000",
            "task.dependencies=[{lag:3,effect:0.5}]",
            f"graph.num_steps={WIDTH}",
            "graph.batch_size=20",
            f"model.state_size={UNITS}",
            *overrides,
        ],
    )


def delay_line() -> dict[str, NDArray[Any]]:
    """h_0 = tanh(±1) for an input of 1 or 0, h_i = tanh(h_{i−1}); the head reads the last unit."""
    W = np.zeros([2 + UNITS, UNITS])
    W[0, 0], W[1, 0] = -1, 1
    for unit in range(1, UNITS):
        W[2 + unit - 1, unit] = 1
    head = np.zeros([UNITS, 2])
    head[-1] = -2, 2
    return {
        "model/layer_0/scratch_cell/W": W,
        "model/layer_0/scratch_cell/b": np.zeros(UNITS),
        "model/softmax/W": head,
        "model/softmax/b": np.zeros(2),
    }


@pytest.fixture(scope="module")
def read() -> Any:
    config = config_of()
    task = make_workload(config).task
    data = held_out(config, task, WIDTH)
    with Reader(config, task, data) as reader:
        return data, reader.read(delay_line(), 7)


def test_after_four_inputs_nothing_of_a_strangers_state_is_left(read: Any) -> None:
    _, reading = read
    np.testing.assert_allclose(reading.excess[:, UNITS - 1 :], 0, atol=1e-12)
    assert (reading.excess[:, : UNITS - 1].mean(0) > 0.05).all()
    memory = memory_of(reading.excess)
    assert memory.inputs == UNITS
    assert memory.is_used


def test_the_error_signal_is_the_product_of_the_slopes(read: Any) -> None:
    """∂L_t/∂h_{t−k} has one path, through unit 3 − k; nothing is left after 3 steps."""
    _, reading = read
    signal = reading.error_signal.mean(0)
    assert (signal[:UNITS] > 0).all()
    np.testing.assert_allclose(signal[UNITS:], 0, atol=1e-15)
    size = np.tanh(1.0)
    for lag in range(1, UNITS):  # the slope of unit 4 − lag, which holds ±tanh(…tanh(1))
        held = 1.0
        for _ in range(UNITS - lag + 1):
            held = np.tanh(held)
        assert signal[lag] / signal[lag - 1] == pytest.approx(1 - held**2, rel=1e-9)
    assert size > 0


def test_the_loss_is_that_of_the_windows_after_the_first(read: Any) -> None:
    data, reading = read
    assert len(data.windows) == WARM_UP + WINDOWS
    assert reading.loss.shape == (WINDOWS,)
    assert reading.updates == 7
    inputs = np.concatenate([window.inputs for window in data.windows], 1)
    labels = np.concatenate([window.labels for window in data.windows], 1)
    held = np.where(inputs == 1, 1.0, -1.0)
    for _ in range(UNITS):
        held = np.tanh(held)
    logits = 4 * held[:, WARM_UP * WIDTH - 3 : -3]  # the difference of both classes
    ones = labels[:, WARM_UP * WIDTH :] == 1
    losses = np.log1p(np.exp(np.where(ones, -logits, logits)))
    assert reading.loss.mean() == pytest.approx(losses.mean())


def test_the_guess_is_the_entropy_of_the_labels(read: Any) -> None:
    data, _ = read
    share = np.concatenate([window.labels for window in data.windows], 1).mean()
    assert data.guess == pytest.approx(
        -share * np.log(share) - (1 - share) * np.log(1 - share), abs=0.01
    )


def test_held_out_data_that_fill_no_window_are_named() -> None:
    config = config_of("task.size=200", "graph.batch_size=1")
    with pytest.raises(UsageError, match=r"no held-out set \(fresh\) fills 2 windows of 100 steps"):
        held_out(config, make_workload(config).task, 100)


def test_examples_say_how_often_each_step_has_a_loss() -> None:
    config = load_config("digits_small")
    data = held_out(config, make_workload(config).task, 8)
    assert data.losses is not None
    assert data.losses[:7].sum() == 0
    assert data.losses[7] > 0
