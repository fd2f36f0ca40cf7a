"""The credit matrix M[t, s]: by its definition, and measured on a graph.

The measurement uses the gradient of training. With the linear cell h_s = h_{s−1} + θ_s, inputs
one-hot in time, and a single loss L_t = h_t, the gradient with respect to θ_s is exactly M[t, s].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_graphs.model import create_variables
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step
from rnn_graphs.truncation.styles import TruncationConfig
from rnn_graphs.unrolls import UNROLLS

Tensor = Any


def definition(truncation: TruncationConfig, num_steps: int) -> NDArray[np.float64]:
    """M as styles.py defines it, [num_steps, context + num_steps]; the mean of M if it is random.

    Row t is the t-th loss of the window; column 0 is the first step of the graph.
    """
    t = np.arange(num_steps)[:, None]
    s = np.arange(-truncation.context_steps, num_steps)[None, :]
    credit = truncation.style.credit(t, s, truncation, num_steps)
    return np.asarray(np.where(s <= t, credit, 0), np.float64)


class CreditGraph(NamedTuple):
    """Endpoints to measure one row of M at a time."""

    graph: tf.Graph
    labels: Tensor  # feed: 1 at the loss to measure, 0 elsewhere; int32 [num_steps, rows]
    key: Tensor  # feed: [2] int32, the key of random draws
    row: Tensor  # fetch: [context + num_steps], M[t, :], the mean over the rows
    initialize: tf.Operation


def build_credit_graph(
    unroll: str, truncation: TruncationConfig, num_steps: int, rows: int = 1
) -> CreditGraph:
    """The gradient of training for this unroll and truncation, on the linear cell.

    `rows` sequences are measured at once; a random style cuts each independently.
    """
    length = truncation.context_steps + num_steps
    with tf.Graph().as_default() as graph:
        model = LinearModel(length)
        labels = tf.placeholder(tf.int32, [num_steps, rows])
        key = tf.placeholder(tf.int32, [2])
        inputs = tf.tile(tf.range(length)[:, None], [1, rows])
        step = make_step(model, UNROLLS[unroll], truncation)
        result = step(Window(inputs, labels, model.cell.zero_state(rows, model.dtype), key))
        # The gradient of the sum of losses, not the mean. Multiplying by num_steps is not exact.
        row = result.gradients[0][:, 0] / (1 / num_steps)
        initialize = tf.global_variables_initializer()
    graph.finalize()
    return CreditGraph(graph, labels, key, row, initialize)


class LinearModel:
    """Takes the place of Model and its head: the linear cell, with its outputs as losses."""

    def __init__(self, length: int) -> None:
        self.dtype = tf.float64
        self._length = length
        self.cell = LinearCell(dtype=self.dtype)
        create_variables(self.cell, tf.zeros([1, length], self.dtype), self.dtype)
        self.variables = tf.trainable_variables()
        self.head: Any = self

    def encode(self, ids: Tensor, _key: Tensor) -> Tensor:
        """[time, batch] → one-hot [time, batch, length]."""
        return tf.one_hot(ids, self._length, dtype=self.dtype)

    def logits(self, outputs: Tensor) -> Tensor:
        """The outputs, [time, batch, 1]."""
        return outputs

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The outputs of the chosen time steps, [time, batch]."""
        return logits[..., 0] * tf.cast(labels, self.dtype)


class LinearCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """h_s = h_{s−1} + x_s θ, with θ [length, 1] and a state [batch, 1]."""

    @property
    def state_size(self) -> int:
        return 1

    @property
    def output_size(self) -> int:
        return 1

    def build(self, input_shape: Any) -> None:
        shape = [int(input_shape[-1]), 1]
        self.theta = tf.get_variable("theta", shape, self.dtype, tf.zeros_initializer())
        self.built = True

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One application."""
        state = state + tf.matmul(inputs, self.theta)
        return state, state
