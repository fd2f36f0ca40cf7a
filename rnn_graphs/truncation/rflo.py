"""rflo: random-feedback local online learning's leak in place of each step's Jacobian.

J ← λ J + ∂⁺h_t/∂θ, and the same within a window, so that M[t, s] = λ^(t−s). Errors reach the output
by its own weights. Sources: Murray 2019, "Local online learning in recurrent networks with random
feedback"; with λ = 1, e-prop's form for an accumulating state: Bellec et al. 2020.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.wrapper import CellWrapper
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.pattern import Pattern
from rnn_graphs.truncation.step import StepModel

Tensor = Any


class Rflo(Influence):
    """J as its entries that one application reaches, [batch, colors, parameters]: no others."""

    def __init__(self, leak: float) -> None:
        self._leak = leak

    def cell(self, model: StepModel) -> Any:
        """The cell, through which errors pass by the leak alone."""
        return LeakingErrorCell(model.cell, self._leak)

    def first(self, model: StepModel, batch_size: int) -> Tensor:
        """Zeros."""
        pattern = _pattern(model)
        return tf.zeros([batch_size, pattern.count, pattern.parameters], model.dtype)

    def credit(self, model: StepModel, influence: Tensor, errors: Tensor) -> Tensor:
        """E J."""
        return _pattern(model).product(errors, influence)

    def carry_on(
        self, model: StepModel, influence: Tensor, window: LinearizedWindow, _key: Tensor
    ) -> Tensor:
        """λ^T J + Σ_t λ^(T−t) ∂⁺h_t/∂θ."""
        factors = tf.fill([window.batch, window.time], tf.constant(self._leak, window.dtype))
        later = tf.math.cumprod(factors, 1, exclusive=True, reverse=True)  # λ^(T−t)
        all_of_them = (later[:, 0] * factors[:, 0])[:, None, None]
        return all_of_them * influence + _pattern(model).immediate(window, later)


def _pattern(model: StepModel) -> Pattern:
    layout = model.recurrent_layout
    return Pattern(layout, layout.reach)


class LeakingErrorCell(CellWrapper):
    """`cell`, forward exactly; an error at its new state is `leak` times that at the old one.

    The output is the last part of the state, so errors at the output pass too.
    """

    def __init__(self, cell: Any, leak: float) -> None:
        super().__init__(cell)
        self._leak = leak

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One application of the cell."""
        output, new = self._cell(inputs, tf.nest.map_structure(tf.stop_gradient, state))
        leaks = tf.nest.map_structure(self._error_path, state)
        new = tf.nest.map_structure(tf.add, new, leaks)
        return output + tf.nest.flatten(leaks)[-1], new

    def _error_path(self, part: Tensor) -> Tensor:
        """Zero, with the gradient `leak`."""
        return self._leak * (part - tf.stop_gradient(part))
