"""The cell and the head of influence balancing (data/tasks/influence_balancing.py).

Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time", section 4.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_graphs.tf1 import tf

Tensor = Any


class InfluenceBalancingCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """s_t = A s_{t-1} + θ · (+1 for the first p units, −1 for the rest), from s_0 = 1.

    A is 0.5 on the diagonal and right of it. In the paper p = 10 of n = 23, and θ starts at 0.5. θ
    is the only parameter, and inputs are ignored.
    """

    POSITIVE = 10
    FIRST_THETA = 0.5

    def __init__(self, state_size: int, dtype: tf.DType) -> None:
        super().__init__(dtype=dtype)
        self._state_size = state_size

    @property
    def state_size(self) -> int:
        return self._state_size

    @property
    def output_size(self) -> int:
        return self._state_size

    def zero_state(self, batch_size: Any, dtype: tf.DType) -> Tensor:
        """The first state, [batch, state_size]: ones."""
        return tf.ones(tf.stack([batch_size, self._state_size]), dtype)

    def build(self, _input_shape: Any) -> None:
        first = tf.constant_initializer(self.FIRST_THETA)
        self.theta = tf.get_variable("theta", [], self.dtype, first)
        self.built = True

    def call(self, _inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One application; output and state are the same tensor."""
        A, signs = linear_system(self._state_size)
        matrix, direction = tf.constant(A.T, self.dtype), tf.constant(signs, self.dtype)
        state = tf.matmul(state, matrix) + self.theta * direction
        return state, state


def linear_system(n: int) -> tuple[Any, Any]:
    """A, [n, n], and the signs of θ, [n]."""
    A = 0.5 * (np.eye(n) + np.eye(n, k=1))
    signs = np.where(np.arange(n) < InfluenceBalancingCell.POSITIVE, 1.0, -1.0)
    return A, signs


class FirstUnitHead:
    """A squared error of the first output unit, ½(o_1 − y)². It has no variables."""

    def __init__(self, _output_size: int, _num_classes: int, dtype: tf.DType) -> None:
        self._dtype = dtype

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, 1]."""
        return outputs[..., :1]

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """[time, batch]."""
        return 0.5 * tf.square(logits[..., 0] - tf.cast(labels, self._dtype))
