"""The project's own LSTM and GRU, equal to TensorFlow's, with products over all time steps.

In both, σ is the sigmoid, ⊙ the product by element, and f the activation, tanh by default. Of each
product [x_t, h_{t−1}] W + b, the part of the inputs, x_t W_x + b, is known before the first step,
and is one product for all of them (`project`). `step` does the rest. hoisting.py uses both.
layer_norm.py has the same cells with normalized pre-activations.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.activations import activation
from rnn_graphs.hoisting import HoistedCell, rows_product
from rnn_graphs.tf1 import tf

Tensor = Any
State = Any


class ScratchLSTMCell(HoistedCell):
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.

        [i, g, f, o] = [x_t, h_{t−1}] W + b
        c_t = σ(f + 1) ⊙ c_{t−1} + σ(i) ⊙ f(g)
        h_t = σ(o) ⊙ f(c_t)

    The 1 is `forget_bias`: the forget gate begins open, as Jozefowicz et al. 2015 advise. W is
    [input_size + units, 4 units], b is [4 units], both as in `tf.nn.rnn_cell.LSTMCell`.
    """

    def __init__(
        self, units: int, name: str | None, dtype: tf.DType, forget_bias: float = 1.0
    ) -> None:
        """`name` is the name of the activation."""
        super().__init__(dtype=dtype)
        self._units = units
        self._activation = activation(name)
        self._forget_bias = forget_bias

    @property
    def state_size(self) -> Any:
        return tf.nn.rnn_cell.LSTMStateTuple(self._units, self._units)

    @property
    def output_size(self) -> int:
        return self._units

    def build(self, input_shape: Any) -> None:
        self._inputs = int(input_shape[-1])
        rows, columns = self._inputs + self._units, 4 * self._units
        self.W = tf.get_variable("W", [rows, columns], self.dtype, tf.zeros_initializer())
        self.b = tf.get_variable("b", [columns], self.dtype, tf.zeros_initializer())
        self.built = True

    def project(self, inputs: Tensor) -> Tensor:
        return rows_product(inputs, self.W[: self._inputs]) + self.b

    @property
    def recurrent_weights(self) -> list[Tensor]:
        return [self.W[self._inputs :]]

    def step(
        self, projected: Tensor, state: State, weights: list[Tensor]
    ) -> tuple[Tensor, State]:  # fmt: skip
        c, h = state
        z = self._pre_activations(projected + tf.matmul(h, weights[0]))
        i, g, f, o = tf.split(z, 4, 1)
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * self._activation(g)
        h = tf.sigmoid(o) * self._activation(self._before_output(c))
        return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)

    def _pre_activations(self, z: Tensor) -> Tensor:
        """i, g, f, o from the sum of the products; a normalized cell changes them."""
        return z

    def _before_output(self, c: Tensor) -> Tensor:
        """c as h is made of it; a normalized cell changes it."""
        return c

    def hidden(self, state: State) -> Tensor:
        return state.h

    def multiplied(
        self, _projected: Tensor, before: Tensor, _weights: list[Tensor]
    ) -> list[Tensor]:
        return [before]


class ScratchGRUCell(HoistedCell):
    """Cho et al. 2014, in the form of `tf.nn.rnn_cell.GRUCell`.

        [r, u] = σ([x_t, h_{t−1}] W + b)
        c = f([x_t, r ⊙ h_{t−1}] W′ + b′)
        h_t = u ⊙ h_{t−1} + (1 − u) ⊙ c

    r is the reset gate, u the update gate; u = 1 keeps the state, as in the paper. Other texts swap
    u and 1 − u. The gates begin open: b is 1 at first, b′ is 0.
    """

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
        self._inputs = int(input_shape[-1])
        rows, zeros = self._inputs + self._units, tf.zeros_initializer()
        with tf.variable_scope("gates"):
            self.W = tf.get_variable("W", [rows, 2 * self._units], self.dtype, zeros)
            self.b = tf.get_variable("b", [2 * self._units], self.dtype, tf.ones_initializer())
        with tf.variable_scope("candidate"):
            self.W_c = tf.get_variable("W", [rows, self._units], self.dtype, zeros)
            self.b_c = tf.get_variable("b", [self._units], self.dtype, zeros)
        self.built = True

    def project(self, inputs: Tensor) -> Tensor:
        weights = tf.concat([self.W[: self._inputs], self.W_c[: self._inputs]], 1)
        return rows_product(inputs, weights) + tf.concat([self.b, self.b_c], 0)

    @property
    def recurrent_weights(self) -> list[Tensor]:
        return [self.W[self._inputs :], self.W_c[self._inputs :]]

    def step(
        self, projected: Tensor, state: State, weights: list[Tensor]
    ) -> tuple[Tensor, State]:  # fmt: skip
        of_gates, of_candidate = tf.split(projected, [2 * self._units, self._units], 1)
        of_gates = self._gates(of_gates + tf.matmul(state, weights[0]))
        r, u = tf.split(tf.sigmoid(of_gates), 2, 1)
        c = self._activation(self._candidate(of_candidate + tf.matmul(r * state, weights[1])))
        h = u * state + (1 - u) * c
        return h, h

    def _gates(self, z: Tensor) -> Tensor:
        """r, or r and u, before σ, from the sum of the products; a normalized cell changes them."""
        return z

    def _candidate(self, z: Tensor) -> Tensor:
        """c before its activation, from the sum of the products; a normalized cell changes it."""
        return z

    def hidden(self, state: State) -> Tensor:
        return state

    def multiplied(self, projected: Tensor, before: Tensor, weights: list[Tensor]) -> list[Tensor]:
        """r of all steps is computed anew, which is one product more."""
        to_r = rows_product(before, weights[0][:, : self._units])
        r = tf.sigmoid(self._gates(projected[..., : self._units] + to_r))
        return [before, r * before]
