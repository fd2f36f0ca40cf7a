"""The reference itself: its gradient by hand against differences of its losses."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numpy_reference import Weights, draw_weights, train_step

STEP = 1e-6


@pytest.mark.parametrize("name", Weights._fields)
def test_the_gradient_is_that_of_the_mean_loss(name: str) -> None:
    stream = np.random.default_rng(3)
    weights = draw_weights(stream, 3, 4, 2)
    inputs, labels = stream.integers(0, 3, [5, 6]), stream.integers(0, 2, [5, 6])
    state = stream.normal(size=[6, 4])
    expected = getattr(train_step(weights, inputs, labels, state).gradients, name)
    measured = np.zeros_like(expected)
    for place in np.ndindex(expected.shape):
        around = []
        for change in (STEP, -STEP):
            value = getattr(weights, name).copy()
            value[place] += change
            moved = weights._replace(**{name: value})
            around.append(train_step(moved, inputs, labels, state).loss)
        measured[place] = (around[0] - around[1]) / (2 * STEP)
    np.testing.assert_allclose(measured, expected, atol=1e-9)


def test_credit_for_the_own_step_alone_leaves_out_what_flows_through_the_state() -> None:
    stream = np.random.default_rng(4)
    weights = draw_weights(stream, 2, 3, 2)
    inputs, labels = stream.integers(0, 2, [4, 5]), stream.integers(0, 2, [4, 5])
    states = [stream.normal(size=[5, 3])]
    alone = np.zeros_like(weights.W)
    for t in range(4):
        one = train_step(weights, inputs[t : t + 1], labels[t : t + 1], states[-1])
        alone += one.gradients.W / 4
        states.append(one.final_state)
    together = train_step(weights, inputs, labels, states[0], credit=np.eye(4))
    np.testing.assert_allclose(together.gradients.W, alone, atol=1e-15)
