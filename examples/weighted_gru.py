"""An example of your own cell: a GRU whose candidate mixes five input matrices.

    r, u = σ([x, h] W + b)
    λ    = softmax([x, h] V + d)            five weights for each row, which sum to 1
    c    = tanh(Σ_k λ_k x A_k + (r · h) B + e)
    h'   = u · h + (1 − u) · c

Source: S. Pitis, "Recurrent Neural Networks in Tensorflow II" (r2rt, 2016), "Using a custom cell".

    python run.py train text_python_docs --cells examples/weighted_gru.py model.cell=weighted_gru

To write your own, copy this file, replace the class and name it in CELLS at the end.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.tf1 import tf

CANDIDATES = 5


class WeightedGRUCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """One application, with the interface of every cell of TensorFlow 1."""

    def __init__(self, units: int, dtype: Any) -> None:
        super().__init__(dtype=dtype)
        self._units = units

    @property
    def state_size(self) -> int:
        return self._units

    @property
    def output_size(self) -> int:
        return self._units

    def build(self, input_shape: Any) -> None:
        inputs, units = int(input_shape[-1]), self._units
        # Biases of 1: at first nothing is reset and nothing updated.
        self._gates = self._affine("gates", inputs + units, 2 * units, 1.0)
        self._weights = self._affine("weights", inputs + units, CANDIDATES, 0.0)
        self._candidates = tf.get_variable("candidates", [CANDIDATES, inputs, units], self.dtype)
        self._recurrent = self._affine("recurrent", units, units, 0.0)
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """[batch, input_size], [batch, units] → output and state, the same tensor."""
        both = tf.concat([inputs, state], 1)
        r, u = tf.split(tf.sigmoid(_apply(both, self._gates)), 2, 1)
        shares = tf.split(tf.nn.softmax(_apply(both, self._weights)), CANDIDATES, 1)
        mixed = tf.add_n(
            [
                share * tf.matmul(inputs, A)
                for share, A in zip(shares, tf.unstack(self._candidates), strict=True)
            ]
        )
        candidate = tf.tanh(mixed + _apply(r * state, self._recurrent))
        state = u * state + (1 - u) * candidate
        return state, state

    def _affine(self, name: str, rows: int, columns: int, bias: float) -> tuple[Any, Any]:
        """W [rows, columns] and b [columns]. The program redraws W; a `bias` keeps its values."""
        with tf.variable_scope(name):
            W = tf.get_variable("kernel", [rows, columns], self.dtype)
            first = tf.constant_initializer(bias)
            return W, tf.get_variable("bias", [columns], self.dtype, first)


def _apply(inputs: Any, affine: tuple[Any, Any]) -> Any:
    W, b = affine
    return tf.matmul(inputs, W) + b


# The name for model.cell, and a function (state_size, dtype) that makes the cell of one layer.
CELLS = {"weighted_gru": WeightedGRUCell}
