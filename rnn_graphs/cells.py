"""Cells: one application maps (x_t, h_{t-1}) to (output_t, h_t).

Every cell has the interface of `tf.compat.v1.nn.rnn_cell.RNNCell`, so that the
unrolls of TensorFlow and our own take the same objects.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_graphs.config import ModelConfig
from rnn_graphs.products import Affine, affine
from rnn_graphs.tf1 import tf

Tensor = Any  # TensorFlow ships no types

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "leaky_relu": tf.nn.leaky_relu,
    "elu": tf.nn.elu,
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "sigmoid": tf.sigmoid,
    "crelu": tf.nn.crelu,
}


def make_cell(
    config: ModelConfig, state_size: int, dtype: tf.DType, product: Affine = affine
) -> Any:
    """One layer's cell as the config names it, its variables not yet created.

    `product` is how the project's own cell multiplies; those of TensorFlow have their own way.
    """
    cells, activation = tf.nn.rnn_cell, ACTIVATIONS[config.activation or "tanh"]
    with warnings.catch_warnings():
        # tf_keras marks every v1 cell as deprecated; they are what this project is about.
        warnings.filterwarnings("ignore", message=r".*rnn_cell.*is deprecated")
        match config.cell:
            case "scratch":
                return ScratchCell(state_size, config.activation, dtype, product)
            case "basic_rnn":
                return cells.BasicRNNCell(state_size, activation, dtype=dtype)
            case "gru":
                return cells.GRUCell(state_size, activation, dtype=dtype)
            case "basic_lstm":
                return cells.BasicLSTMCell(state_size, activation=activation, dtype=dtype)
            case "lstm":
                return cells.LSTMCell(
                    state_size, config.peepholes, config.cell_clip, num_proj=config.projection,
                    activation=activation, dtype=dtype,
                )  # fmt: skip
            case "influence_balancing":
                return InfluenceBalancingCell(state_size, dtype)


class ScratchCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """The blog's own cell: h_t = tanh([x_t, h_{t-1}] W + b).

    Source: r2rt, "Recurrent Neural Networks in Tensorflow I" (2016), `rnn_cell`.
    W is [input_depth + state_size, state_size], b is [state_size]; with crelu, which gives
    two values a unit, W and b have half as many units.
    """

    def __init__(
        self, state_size: int, activation: str | None, dtype: tf.DType, product: Affine = affine
    ) -> None:
        super().__init__(dtype=dtype)
        self._product = product
        self._state_size = state_size
        self._units = state_size // 2 if activation == "crelu" else state_size
        self._activation = ACTIVATIONS[activation or "tanh"]

    @property
    def state_size(self) -> int:
        return self._state_size

    @property
    def output_size(self) -> int:
        return self._state_size

    def build(self, input_shape: Any) -> None:
        depth = int(input_shape[-1]) + self._state_size
        self.W = tf.get_variable("W", [depth, self._units], self.dtype, tf.zeros_initializer())
        self.b = tf.get_variable("b", [self._units], self.dtype, tf.zeros_initializer())
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_depth], [batch, state_size] → output and state, the same tensor."""
        state = self._activation(self._product(inputs, state, self.W, self.b))
        return state, state


class InfluenceBalancingCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """s_t = A s_{t-1} + θ · (+1 for the first p units, −1 for the rest), from s_0 = 1.

    Source: Tallec & Ollivier 2017, section 4.1: A is 0.5 on the diagonal and next to it on
    the right, p = 10 of n = 23, θ = 0.5 at first. θ is the one parameter; inputs are not read.
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
        A, signs = influence_balancing_system(self._state_size)
        matrix, direction = tf.constant(A.T, self.dtype), tf.constant(signs, self.dtype)
        state = tf.matmul(state, matrix) + self.theta * direction
        return state, state


def influence_balancing_system(n: int) -> tuple[Any, Any]:
    """A [n, n] and the signs [n] of the influence balancing task."""
    A = 0.5 * (np.eye(n) + np.eye(n, k=1))
    signs = np.where(np.arange(n) < InfluenceBalancingCell.POSITIVE, 1.0, -1.0)
    return A, signs
