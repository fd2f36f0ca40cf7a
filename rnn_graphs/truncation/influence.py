"""Forward-mode styles: an influence, carried with the state, that reaches beyond the window.

The influence stands for J = ∂h_0/∂θ of the state that a window starts from. Styles differ in how
they hold J, exactly or not. step(), the loop and checkpoints treat them alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.linearized import LinearizedWindow, unroll_recorded
from rnn_graphs.truncation.step import Step, StepModel, Window, plain_step, step_and_errors
from rnn_graphs.unrolls import UnrollFunction

Tensor = Any


class Influence(ABC):
    """How a style holds J, and what it does with it."""

    def cell(self, model: StepModel) -> Any:
        """The cell that is unrolled and differentiated within a window."""
        return model.cell

    @abstractmethod
    def first(self, model: StepModel, batch_size: int) -> Any:
        """The influence at the start of a sequence: nested tensors, all zeros."""

    @abstractmethod
    def credit(self, model: StepModel, influence: Any, errors: Tensor) -> Tensor:
        """Σ over rows of E J, [parameters]; errors: E = ∂loss/∂h_0, [batch, units]."""

    @abstractmethod
    def carry_on(
        self, model: StepModel, influence: Any, window: LinearizedWindow, key: Tensor
    ) -> Any:
        """The influence of the state after the window."""


def step_with_influence(
    model: StepModel, unroll: UnrollFunction, window: Window, rule: Influence
) -> Step:
    """Backpropagation within the window, plus the influence of the state that it starts from.

    Without an influence, as where every window begins in the first state, nothing is added.
    """
    inputs, cell = model.encode(window.inputs, window.key), rule.cell(model)
    if not tf.nest.flatten(window.influence):
        alone = unroll(cell, inputs, window.state, window.lengths)
        return plain_step(model, window, alone.outputs, alone.final_state)
    unrolled, states = unroll_recorded(cell, unroll, inputs, window)
    step, errors = step_and_errors(
        model, window, unrolled.outputs, unrolled.final_state, tf.nest.flatten(window.state)
    )
    linearized = LinearizedWindow(model, window, inputs, states)
    before = rule.credit(model, window.influence, tf.concat(errors, 1))
    gradients = [*step.gradients]
    for index, part in enumerate(_by_variable(before, model.recurrent_variables)):
        gradients[index] += part
    # The influence after the window is that of weights before the update, as the state is.
    after = rule.carry_on(model, window.influence, linearized, window.key)
    return step._replace(gradients=gradients, influence=after)


def _by_variable(vector: Tensor, variables: list[Any]) -> list[Tensor]:
    """[parameters] → a tensor for each variable."""
    shapes = [variable.shape.as_list() for variable in variables]
    parts = tf.split(vector, [variable.shape.num_elements() for variable in variables])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
