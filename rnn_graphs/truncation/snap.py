"""snap: of the influence J, only the entries that a weight reaches in `order` cell applications.

J ← mask ⊙ (D J + ∂⁺h_t/∂θ) at each step, with D = ∂h_t/∂h_{t−1}. For a dense tanh cell, order 1
keeps one entry for each weight, and its product with D takes the diagonal of D alone. Source:
Menick et al. 2020, "A Practical Sparse Approximation for Real Time Recurrent Learning".
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.pattern import Pattern
from rnn_graphs.truncation.step import StepModel

Tensor = Any


class Snap(Influence):
    """J as the entries that the mask keeps, [batch, colors, parameters]."""

    def __init__(self, order: int) -> None:
        self._order = order

    def first(self, model: StepModel, batch_size: int) -> Tensor:
        """Zeros."""
        pattern = self._pattern(model)
        return tf.zeros([batch_size, pattern.count, pattern.parameters], model.dtype)

    def credit(self, model: StepModel, influence: Tensor, errors: Tensor) -> Tensor:
        """E J."""
        return self._pattern(model).product(errors, influence)

    def carry_on(
        self, model: StepModel, influence: Tensor, window: LinearizedWindow, _key: Tensor
    ) -> Tensor:
        """J after each step of the window in turn."""
        layout, kept = model.recurrent_layout, self._pattern(model)
        reached = Pattern(layout, layout.reach)
        jacobians = tf.unstack(window.jacobians(), axis=1)
        for jacobian, step in zip(jacobians, window.steps(), strict=True):
            new = reached.immediate(step)
            if kept.count > reached.count:
                new = kept.from_dense(reached.dense(new))
            influence = kept.times(jacobian, influence) + new
        return influence

    def _pattern(self, model: StepModel) -> Pattern:
        layout = model.recurrent_layout
        return Pattern(layout, layout.reach_in(self._order))
