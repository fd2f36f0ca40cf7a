"""Cells whose pre-activations are normalized over the units of each row.

norm(z) = gain · (z − mean z) / √(var z + ε) + shift, with a gain and a shift for each unit. Each
gate has its own, and so has the new c of an LSTM where h is made of it. The shift takes the place
of the bias. Source: Ba, Kiros & Hinton 2016, "Layer Normalization", as in S. Pitis, "Recurrent
Neural Networks in Tensorflow II" (r2rt, 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any
EPSILON = 1e-5


class _NormalizedCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """The common part: sizes, and the variables of one normalization."""

    def __init__(self, units: int, act: Callable[[Tensor], Tensor], dtype: tf.DType) -> None:
        super().__init__(dtype=dtype)
        self._units = units
        self._activation = act

    @property
    def state_size(self) -> Any:
        return self._units

    @property
    def output_size(self) -> int:
        return self._units

    def _weights(self, name: str, input_shape: Any, gates: int) -> Any:
        shape = [int(input_shape[-1]) + self._units, gates * self._units]
        return tf.get_variable(name, shape, self.dtype, tf.zeros_initializer())

    def _norms(self, count: int, shift: float = 0.0) -> tuple[Any, Any]:
        """Gains and shifts of `count` normalizations, [count, units] each."""
        shape = [count, self._units]
        gain = tf.get_variable("gain", shape, self.dtype, tf.ones_initializer())
        return gain, tf.get_variable("shift", shape, self.dtype, tf.constant_initializer(shift))


class LayerNormRNNCell(_NormalizedCell):
    """h_t = φ(norm([x_t, h_{t−1}] W))."""

    def build(self, input_shape: Any) -> None:
        self._kernel = self._weights("kernel", input_shape, 1)
        self._gain, self._shift = self._norms(1)
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_size], [batch, units] → output and state, the same tensor."""
        z = tf.matmul(tf.concat([inputs, state], 1), self._kernel)
        state = self._activation(normalize(z, self._gain[0], self._shift[0]))
        return state, state


class LayerNormGRUCell(_NormalizedCell):
    """GRUCell with r, u and the candidate normalized.

    The shifts of r and u start at 1, as GRUCell's biases do: nothing is reset, nothing updated.
    """

    def build(self, input_shape: Any) -> None:
        with tf.variable_scope("gates"):
            self._gates = self._weights("kernel", input_shape, 2)
            self._gain, self._shift = self._norms(2, 1.0)
        with tf.variable_scope("candidate"):
            self._candidate = self._weights("kernel", input_shape, 1)
            self._candidate_norm = self._norms(1)
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, input_size], [batch, units] → output and state, the same tensor."""
        both = tf.split(tf.matmul(tf.concat([inputs, state], 1), self._gates), 2, 1)
        r, u = (
            tf.sigmoid(normalize(z, self._gain[place], self._shift[place]))
            for place, z in enumerate(both)
        )
        z = tf.matmul(tf.concat([inputs, r * state], 1), self._candidate)
        gain, shift = self._candidate_norm
        candidate = self._activation(normalize(z, gain[0], shift[0]))
        state = u * state + (1 - u) * candidate
        return state, state


class LayerNormLSTMCell(_NormalizedCell):
    """BasicLSTMCell with i, j, f and o normalized, and c where h is made of it."""

    def __init__(
        self, units: int, act: Callable[[Tensor], Tensor], dtype: tf.DType, forget_bias: float
    ) -> None:
        super().__init__(units, act, dtype)
        self._forget_bias = forget_bias

    @property
    def state_size(self) -> Any:
        return tf.nn.rnn_cell.LSTMStateTuple(self._units, self._units)

    def build(self, input_shape: Any) -> None:
        self._kernel = self._weights("kernel", input_shape, 4)
        self._gain, self._shift = self._norms(5)  # i, j, f, o, c
        self.built = True

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """[batch, input_size], (c, h) → h and (c, h)."""
        c, h = state
        four = tf.split(tf.matmul(tf.concat([inputs, h], 1), self._kernel), 4, 1)
        i, j, f, o = (self._norm(z, place) for place, z in enumerate(four))
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
        h = self._activation(self._norm(c, 4)) * tf.sigmoid(o)
        return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)

    def _norm(self, z: Tensor, place: int) -> Tensor:
        return normalize(z, self._gain[place], self._shift[place])


def normalize(z: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """[batch, units] → the same shape; each row with mean 0 and variance 1 before the gain."""
    mean = tf.reduce_mean(z, 1, keepdims=True)
    variance = tf.reduce_mean(tf.square(z - mean), 1, keepdims=True)
    return gain * (z - mean) * tf.math.rsqrt(variance + EPSILON) + shift
