"""Cells whose pre-activations are normalized over the units of each row.

norm(z) = gain · (z − mean z) / √(var z + ε) + shift, with a gain and a shift for each unit. Each
gate has its own, and so has the new c of an LSTM where h is made of it. The shift takes the place
of the bias. Source: Ba, Kiros & Hinton 2016, "Layer Normalization", as in S. Pitis, "Recurrent
Neural Networks in Tensorflow II" (r2rt, 2016).
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.activations import activation
from rnn_graphs.cells.gated import ScratchGRUCell, ScratchLSTMCell
from rnn_graphs.hoisting import rows_product
from rnn_graphs.tf1 import tf

Tensor = Any
EPSILON = 1e-5


class LayerNormRNNCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """h_t = f(norm([x_t, h_{t−1}] W))."""

    def __init__(self, units: int, name: str | None, dtype: tf.DType) -> None:
        """`name` is the name of the activation."""
        super().__init__(dtype=dtype)
        self._units = units
        self._activation = activation(name)

    @property
    def state_size(self) -> int:
        return self._units

    @property
    def output_size(self) -> int:
        return self._units

    def build(self, input_shape: Any) -> None:
        self._W = _matrix(int(input_shape[-1]) + self._units, self._units, self.dtype)
        self._gain, self._shift = _gain_and_shift(1, self._units, self.dtype)
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_size], [batch, units] → output and state, the same tensor."""
        z = tf.matmul(tf.concat([inputs, state], 1), self._W)
        state = self._activation(normalize(z, self._gain, self._shift))
        return state, state


class LayerNormLSTMCell(ScratchLSTMCell):
    """The LSTM with i, g, f and o normalized, and c where h is made of it."""

    def build(self, input_shape: Any) -> None:
        self._inputs = int(input_shape[-1])
        self.W = _matrix(self._inputs + self._units, 4 * self._units, self.dtype)
        self._gain, self._shift = _gain_and_shift(5, self._units, self.dtype)  # i, g, f, o, c
        self.built = True

    def project(self, inputs: Tensor) -> Tensor:
        return rows_product(inputs, self.W[: self._inputs])

    def _pre_activations(self, z: Tensor) -> Tensor:
        return normalize(z, self._gain[:4], self._shift[:4])

    def _before_output(self, c: Tensor) -> Tensor:
        return normalize(c, self._gain[4:], self._shift[4:])


class LayerNormGRUCell(ScratchGRUCell):
    """The GRU with r, u and the candidate normalized.

    The shifts of r and u start at 1, as the GRU's biases do: nothing is reset, nothing updated.
    """

    def build(self, input_shape: Any) -> None:
        self._inputs = int(input_shape[-1])
        rows = self._inputs + self._units
        with tf.variable_scope("gates"):
            self.W = _matrix(rows, 2 * self._units, self.dtype)
            self._gain, self._shift = _gain_and_shift(2, self._units, self.dtype, 1.0)
        with tf.variable_scope("candidate"):
            self.W_c = _matrix(rows, self._units, self.dtype)
            self._gain_c, self._shift_c = _gain_and_shift(1, self._units, self.dtype)
        self.built = True

    def project(self, inputs: Tensor) -> Tensor:
        weights = tf.concat([self.W[: self._inputs], self.W_c[: self._inputs]], 1)
        return rows_product(inputs, weights)

    def _gates(self, z: Tensor) -> Tensor:
        count = int(z.shape[-1]) // self._units
        return normalize(z, self._gain[:count], self._shift[:count])

    def _candidate(self, z: Tensor) -> Tensor:
        return normalize(z, self._gain_c, self._shift_c)


def _matrix(rows: int, columns: int, dtype: tf.DType) -> Any:
    return tf.get_variable("kernel", [rows, columns], dtype, tf.zeros_initializer())


def _gain_and_shift(gates: int, units: int, dtype: tf.DType, shift: float = 0.0) -> tuple[Any, Any]:
    """Of each gate's normalization, [gates, units] each."""
    gain = tf.get_variable("gain", [gates, units], dtype, tf.ones_initializer())
    first = tf.constant_initializer(shift)
    return gain, tf.get_variable("shift", [gates, units], dtype, first)


def normalize(z: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """z with each gate's units at mean 0 and variance 1, before the gain and the shift.

    z: [..., gates × units], the gates side by side; gain, shift: [gates, units].
    """
    gates = tf.reshape(z, [-1, *gain.shape])
    mean = tf.reduce_mean(gates, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(gates - mean), -1, keepdims=True)
    normalized = gain * (gates - mean) * tf.math.rsqrt(variance + EPSILON) + shift
    result = tf.reshape(normalized, tf.shape(z))
    result.set_shape(z.shape)
    return result
