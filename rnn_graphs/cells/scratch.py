"""The blog's cell. traits.py lists all cells.

Every cell has the interface of `tf.compat.v1.nn.rnn_cell.RNNCell`, so that TensorFlow's unrolls and
the project's own accept the same objects.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.activations import activation
from rnn_graphs.cells.products import Affine, affine
from rnn_graphs.tf1 import tf

Tensor = Any  # TensorFlow ships no types


class ScratchCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """The blog's own cell: h_t = tanh([x_t, h_{t-1}] W + b).

    Source: r2rt, "Recurrent Neural Networks in Tensorflow I" (2016), `rnn_cell`.
    W is [input_size + state_size, state_size], b is [state_size]; With crelu, which gives
    two values a unit, W and b have half as many columns.
    """

    def __init__(
        self, state_size: int, name: str | None, dtype: tf.DType, product: Affine = affine
    ) -> None:
        """`name` is the name of the activation."""
        super().__init__(dtype=dtype)
        self._product = product
        self._state_size = state_size
        self._units = state_size // 2 if name == "crelu" else state_size
        self._activation = activation(name)

    @property
    def state_size(self) -> int:
        return self._state_size

    @property
    def output_size(self) -> int:
        return self._state_size

    def build(self, input_shape: Any) -> None:
        rows = int(input_shape[-1]) + self._state_size
        self.W = tf.get_variable("W", [rows, self._units], self.dtype, tf.zeros_initializer())
        self.b = tf.get_variable("b", [self._units], self.dtype, tf.zeros_initializer())
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_size], [batch, state_size] → output and state, the same tensor."""
        state = self._activation(self._product(inputs, state, self.W, self.b))
        return state, state
