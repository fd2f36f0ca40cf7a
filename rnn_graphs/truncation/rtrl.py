"""rtrl: real-time recurrent learning in blocks of num_steps.

J = ∂h_0/∂θ, the influence, says how the state that a window starts from depends on the weights.
With E = ∂loss/∂h_0,

    ĝ = (backpropagation within the window) + E J,    then    J ← (∂h_T/∂h_0) J + ∂h_T/∂θ.

It equals full backpropagation over all windows where the weights stand still. Sources: Williams &
Zipser 1989; in blocks: Schmidhuber 1992, "A Fixed Size Storage O(n³) Time Complexity Learning
Algorithm".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_graphs.cells.derivatives import OneProduct
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.step import StepModel

Tensor = Any


def rtrl(model: StepModel, num_steps: int) -> Influence:
    """The form with the fewest operations for windows of this length."""
    return RtrlByStep() if num_steps == 1 and _is_one_product(model) else RtrlByWindow()


def _is_one_product(model: StepModel) -> bool:
    """Whether h = f([x, h] W + b) is the whole model, with one unit for each column."""
    layer, *others = model.layers
    W = layer.variables[0]
    return (
        isinstance(layer.derivatives, OneProduct)
        and not others
        and W is model.recurrent_variables[0]
        and layer.sizes == (int(W.shape[1]),)
    )


class RtrlByWindow(Influence):
    """J as [batch, parameters, units], carried through a whole window at once.

    Errors that start as the identity are taken back through the window. At its start they are
    ∂h_T/∂h_0, and on the way they give ∂h_T/∂θ. J takes one product, in place of one a step.
    """

    def first(self, model: StepModel, batch_size: int) -> Tensor:
        """Zeros: no weight has influenced the first state."""
        layout = model.recurrent_layout
        return tf.zeros([batch_size, layout.parameters, layout.units], model.dtype)

    def credit(self, _model: StepModel, influence: Tensor, errors: Tensor) -> Tensor:
        """E J, summed over the rows."""
        return tf.reduce_sum(tf.matmul(influence, errors[..., None]), [0, 2])

    def carry_on(
        self, _model: StepModel, influence: Tensor, window: LinearizedWindow, _key: Tensor
    ) -> Tensor:
        """J after the window."""
        pulled = window.pull(tf.eye(window.units, batch_shape=[window.batch], dtype=window.dtype))
        return tf.matmul(influence, pulled.at_state) + window.row_gradients(pulled.at_products)


class RtrlByStep(Influence):
    """Of h = f(v W), v = [x, h, 1], after each step: J ← f′ ⊙ (W_hᵀ J + v).

    J is [units, columns, rows of W + 1, batch], so that the whole batch passes through W_h in one
    product. Each column of W adds v to its own unit.
    """

    def first(self, model: StepModel, batch_size: int) -> Tensor:
        """Zeros: no weight has influenced the first state."""
        rows, units = (int(size) for size in model.recurrent_variables[0].shape)
        return tf.zeros([units, units, rows + 1, batch_size], model.dtype)

    def credit(self, _model: StepModel, influence: Tensor, errors: Tensor) -> Tensor:
        """E J, summed over the rows."""
        units, columns, rows, batch = (int(size) for size in influence.shape)
        flat = tf.reshape(influence, [units, columns * rows, batch])
        found = tf.reduce_sum(tf.matmul(flat, tf.transpose(errors)[..., None]), [0, 2])
        return tf.reshape(tf.transpose(tf.reshape(found, [columns, rows])), [-1])

    def carry_on(
        self, model: StepModel, influence: Tensor, window: LinearizedWindow, _key: Tensor
    ) -> Tensor:
        """J after the step."""
        units, columns, rows, batch = (int(size) for size in influence.shape)
        v, slopes = (tf.transpose(part[:, 0]) for part in window.product())
        W_h = tf.convert_to_tensor(model.recurrent_variables[0])[-units:]
        flat = tf.reshape(influence, [units, columns * rows * batch])
        through = tf.reshape(tf.matmul(W_h, flat, transpose_a=True), [units * columns, rows, batch])
        own = np.arange(units)[:, None] * (units + 1)  # the places of a unit with its own column
        added = tf.tensor_scatter_nd_add(through, own, tf.tile(v[None], [units, 1, 1]))
        return slopes[:, None, None] * tf.reshape(added, influence.shape)
