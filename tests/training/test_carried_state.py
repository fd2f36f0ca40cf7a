"""experiments/training/carried_state.py: the states between rows, against one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.training.carried_state import PASSES, starts_of_rows

Floats = NDArray[np.floating[Any]]
INPUTS = np.random.default_rng(0).normal(size=600)


def forward(state: Floats, inputs: Floats, memory: float) -> Floats:
    """h ← memory h + (1 − |memory|) x, along the columns of inputs [rows, time]."""
    for column in inputs.T:
        state = memory * state + (1 - abs(memory)) * column[:, None]
    return state


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.99, -0.9])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_they_are_those_of_one_row(memory: float, count: int) -> None:
    rows = INPUTS.reshape(count, -1)
    starts = starts_of_rows(lambda given: [forward(given[0], rows, memory)], [np.zeros([count, 1])])
    assert starts is not None
    for row in range(count):
        before = INPUTS[None, : row * rows.shape[1]]
        expected = forward(np.zeros([1, 1]), before, memory)
        np.testing.assert_allclose(starts[0][row], expected[0], atol=1e-10)


def test_what_is_never_forgotten_takes_one_row() -> None:
    """A state that counts would need as many passes as there are rows."""
    passes = []

    def count_up(given: Sequence[Floats]) -> list[Floats]:
        passes.append(1)
        return [given[0] + 1]

    assert starts_of_rows(count_up, [np.zeros([PASSES + 2, 1])]) is None
    assert len(passes) == PASSES
    starts = starts_of_rows(count_up, [np.zeros([PASSES - 1, 1])])
    assert starts is not None
    assert starts[0][:, 0].tolist() == list(range(PASSES - 1))


def test_a_state_that_is_not_finite_is_not_settled() -> None:
    assert starts_of_rows(lambda given: [given[0] * np.nan], [np.zeros([3, 1])]) is None
