"""Cells: one application maps (x_t, h_{t-1}) to (output_t, h_t).

Every cell has the interface of `tf.compat.v1.nn.rnn_cell.RNNCell`, so that the
unrolls of TensorFlow and our own take the same objects.
"""

from __future__ import annotations

import warnings
from typing import Any

from rnn_graphs.config import ModelConfig
from rnn_graphs.tf1 import tf

Tensor = Any  # TensorFlow ships no types


def make_cell(config: ModelConfig, dtype: tf.DType) -> tf.nn.rnn_cell.RNNCell:
    """The cell that the config names, its variables not yet created."""
    with warnings.catch_warnings():
        # tf_keras marks every v1 cell as deprecated; they are what this project is about.
        warnings.filterwarnings("ignore", message=r".*rnn_cell.*is deprecated")
        if config.cell == "scratch":
            return ScratchCell(config.state_size, dtype=dtype)
        return tf.nn.rnn_cell.BasicRNNCell(config.state_size, dtype=dtype)


class ScratchCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """The blog's own cell: h_t = tanh([x_t, h_{t-1}] W + b).

    Source: r2rt, "Recurrent Neural Networks in Tensorflow I" (2016), `rnn_cell`.
    W is [input_depth + state_size, state_size], b is [state_size].
    """

    def __init__(self, state_size: int, dtype: tf.DType) -> None:
        super().__init__(dtype=dtype)
        self._state_size = state_size

    @property
    def state_size(self) -> int:
        return self._state_size

    @property
    def output_size(self) -> int:
        return self._state_size

    def build(self, input_shape: Any) -> None:
        depth = int(input_shape[-1])
        self.W = tf.get_variable(
            "W", [depth + self._state_size, self._state_size], self.dtype, tf.zeros_initializer()
        )
        self.b = tf.get_variable("b", [self._state_size], self.dtype, tf.zeros_initializer())
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_depth], [batch, state_size] → output and state, the same tensor."""
        state = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), self.W) + self.b)
        return state, state
