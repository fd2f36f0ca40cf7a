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

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.pattern import Pattern
from rnn_graphs.truncation.step import StepModel

Tensor = Any


class Rtrl(Influence):
    """J as a tensor, [batch, units, parameters]."""

    def first(self, model: StepModel, batch_size: int) -> Tensor:
        """Zeros: no weight has influenced the first state."""
        layout = model.recurrent_layout
        return tf.zeros([batch_size, layout.units, layout.parameters], model.dtype)

    def credit(self, _model: StepModel, influence: Tensor, errors: Tensor) -> Tensor:
        """E J, summed over the rows: one product of them all."""
        batch, units, parameters = (int(size) for size in influence.shape)
        flat = tf.reshape(influence, [batch * units, parameters])
        return tf.linalg.matvec(flat, tf.reshape(errors, [batch * units]), transpose_a=True)

    def carry_on(
        self, model: StepModel, influence: Tensor, window: LinearizedWindow, _key: Tensor
    ) -> Tensor:
        """J after the window."""
        jacobians = tf.unstack(window.jacobians())
        if window.time == 1:
            layout = model.recurrent_layout
            pattern = Pattern(layout, layout.reach)
            return tf.matmul(jacobians[0], influence) + pattern.dense(pattern.immediate(window))
        ends = [tf.eye(window.units, batch_shape=[window.batch], dtype=model.dtype)]
        for jacobian in reversed(jacobians):  # ∂h_T/∂h_t for t = T … 0
            ends.append(tf.matmul(ends[-1], jacobian) if len(ends) > 1 else jacobian)
        errors = tf.transpose(tf.stack(ends[-2::-1]), [2, 0, 1, 3])
        return tf.matmul(ends[-1], influence) + window.row_gradients(errors)
