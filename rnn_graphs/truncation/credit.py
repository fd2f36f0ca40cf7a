"""The credit matrix M[t, s]: by its definition, and measured on a graph.

The measurement uses the gradient of training, on two linear units that exchange half of what
they hold at each step, h_s = C h_{s−1} + (θ_s, 0). Inputs are one-hot in time and there is a single
loss, the sum of both units at t. All of θ_s is still there at t, so the gradient with respect to
θ_s is exactly M[t, s]. Half of it has passed through the other unit at each step, so a style that
drops such paths shows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_graphs.cells.derivatives import OneProduct, RecurrentLayer
from rnn_graphs.cells.layouts import RecurrentLayout
from rnn_graphs.cells.scratch import ScratchCell
from rnn_graphs.model import create_variables
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step
from rnn_graphs.truncation.styles import TruncationConfig
from rnn_graphs.unrolls import UNROLLS

Tensor = Any


def definition(truncation: TruncationConfig, num_steps: int) -> NDArray[np.float64]:
    """M as its entry defines it, [num_steps, steps before the window + num_steps].

    It is the mean of M if it is random. Row t is the t-th loss of the window; column 0 is the first
    step of the graph, or of the windows before it (`TruncationConfig.steps_before`).
    """
    t = np.arange(num_steps)[:, None]
    s = np.arange(-truncation.steps_before(num_steps), num_steps)[None, :]
    credit = truncation.style.credit(t, s, truncation, num_steps)
    return np.asarray(np.where(s <= t, credit, 0), np.float64)


class CreditGraph(NamedTuple):
    """Endpoints to measure one row of M at a time."""

    graph: tf.Graph
    labels: Tensor  # feed: 1 at the loss to measure, 0 elsewhere; int32 [num_steps, rows]
    key: Tensor  # feed: [2] int32, the key of random draws
    row: Tensor  # fetch: [steps before + num_steps], M[t, :], the mean over the rows
    initialize: tf.Operation


def build_credit_graph(
    unroll: str, truncation: TruncationConfig, num_steps: int, rows: int = 1
) -> CreditGraph:
    """The gradient of training for this unroll and truncation, on two coupled linear units.

    `rows` sequences are measured at once; a random style draws for each independently. A style with
    an influence carries it through the windows before the one that is measured.
    """
    before, context = truncation.steps_before(num_steps), truncation.context_steps
    length = before + num_steps
    with tf.Graph().as_default() as graph:
        model = LinearModel(length)
        labels = tf.placeholder(tf.int32, [num_steps, rows])
        key = tf.placeholder(tf.int32, [2])
        inputs = tf.tile(tf.range(length)[:, None], [1, rows])
        step = make_step(model, UNROLLS[unroll], truncation)
        state: Any = model.cell.zero_state(rows, model.dtype)
        influence = truncation.first_influence(model, rows, num_steps)
        result, no_loss = None, tf.zeros_like(labels)
        for start in range(0, length - context, num_steps):
            is_last = start + num_steps + context == length
            window = Window(
                inputs[start : start + context + num_steps], labels if is_last else no_loss,
                state, key + tf.constant([0, start]), influence=influence,
            )  # fmt: skip
            result = step(window)
            carried = (result.final_state, result.influence)
            state, influence = tf.nest.map_structure(tf.stop_gradient, carried)
        assert result is not None
        # The gradient of the sum of losses, not the mean. Multiplying by num_steps is not exact.
        row = result.gradients[0][:length, 0] / (1 / num_steps)
        initialize = tf.global_variables_initializer()
    graph.finalize()
    return CreditGraph(graph, labels, key, row, initialize)


class LinearModel:
    """Takes the place of Model and its head: two coupled linear units, whose sum is the loss."""

    def __init__(self, length: int) -> None:
        self.dtype = tf.float64
        self.compiled = False
        self._length = length
        self.cell = CoupledUnits(self.dtype)
        create_variables(self.cell, tf.zeros([1, length], self.dtype), self.dtype)
        self.variables = tf.trainable_variables()
        self.recurrent_variables = self.variables
        self.head: Any = self

    @property
    def recurrent_layout(self) -> RecurrentLayout:
        """Each column of W, and each bias, is one unit's."""
        shapes = ((self._length + 2, 2), (2,))
        own = np.eye(2, dtype=bool)
        parameters = 2 * self._length + 6
        return RecurrentLayout(2, parameters, np.hstack([own, own]), np.ones([2, 2], bool), shapes)

    @property
    def layers(self) -> list[RecurrentLayer]:
        """One, whose activation is the identity."""
        return [RecurrentLayer(OneProduct(tf.identity), self.variables, (2,), ())]

    def encode(self, ids: Tensor, _key: Tensor) -> Tensor:
        """[time, batch] → one-hot [time, batch, length]."""
        return tf.one_hot(ids, self._length, dtype=self.dtype)

    def embedded(self, _ids: Tensor) -> None:
        """Nothing is embedded."""

    def logits(self, outputs: Tensor) -> Tensor:
        """The outputs, [time, batch, 2]."""
        return outputs

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The sums of the units at the chosen time steps, [time, batch]."""
        return tf.reduce_sum(logits, -1) * tf.cast(labels, self.dtype)


class CoupledUnits(ScratchCell):
    """h_s = C h_{s−1} + θ_s for two units, each of which takes half of itself and of the other.

    The sum of the units is kept, so that the whole effect of θ_s on any later sum is 1. W holds θ
    and C, as in a tanh cell.
    """

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__(2, None, dtype)
        self._activation = tf.identity

    def build(self, input_shape: Any) -> None:
        length = int(input_shape[-1])
        first = np.vstack([np.zeros([length, 2]), np.full([2, 2], 0.5)])
        initial = tf.constant_initializer(first)
        self.W = tf.get_variable("W", first.shape, self.dtype, initial)
        self.b = tf.get_variable("b", [2], self.dtype, tf.zeros_initializer())
        self.built = True
