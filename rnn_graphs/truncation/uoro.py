"""uoro: unbiased online recurrent optimization. J is a random rank-one estimate s̃ ⊗ θ̃.

With random signs ν, one for each unit,

    s̃ ← ρ₀ A s̃ + ρ₁ ν,    θ̃ ← θ̃ / ρ₀ + νᵀB / ρ₁,

where A = ∂h_T/∂h_0 and B = ∂h_T/∂θ of the window. The mean of s̃ ⊗ θ̃ is that of A J + B, because the
mean of ν νᵀ is the identity. ρ₀ and ρ₁ make both sides of each sum equally long, which keeps the
variance low. Source: Tallec & Ollivier 2018, "Unbiased Online Recurrent Optimization", algorithm 1;
each row of the batch has signs of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.autodiff import gradients
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.signs import random_signs, ratio
from rnn_graphs.truncation.step import StepModel

Tensor = Any


class RankOne(NamedTuple):
    """J as a product, s̃ ⊗ θ̃."""

    of_state: Tensor  # s̃ [batch, units]
    of_parameters: Tensor  # θ̃ [batch, parameters]


class Uoro(Influence):
    """J as a random product of two vectors."""

    def first(self, model: StepModel, batch_size: int) -> RankOne:
        """Zeros."""
        layout = model.recurrent_layout
        return RankOne(
            tf.zeros([batch_size, layout.units], model.dtype),
            tf.zeros([batch_size, layout.parameters], model.dtype),
        )

    def credit(self, _model: StepModel, influence: RankOne, errors: Tensor) -> Tensor:
        """E J."""
        weights = tf.reduce_sum(errors * influence.of_state, 1)
        return tf.linalg.matvec(influence.of_parameters, weights, transpose_a=True)

    def carry_on(
        self, _model: StepModel, influence: RankOne, window: LinearizedWindow, key: Tensor
    ) -> RankOne:
        """The estimate after the window, with signs drawn from its key."""
        return after(
            influence, window, random_signs([window.batch, window.units], key, window.dtype)
        )


def after(influence: RankOne, window: LinearizedWindow, signs: Tensor) -> RankOne:
    """The estimate after the window, with these signs, [batch, units]."""
    at_end = signs[..., None]  # in a single slot
    pulled = window.pull(at_end)
    # The way back is linear in the errors, so its gradient is the way there.
    (pushed,) = gradients([pulled.at_state], [at_end], [influence.of_state[..., None]])
    pushed = pushed[..., 0]
    new = window.row_gradients(pulled.at_products)[..., 0]
    old_ratio = ratio(influence.of_parameters, pushed)
    new_ratio = ratio(new, signs)
    return RankOne(
        old_ratio * pushed + new_ratio * signs,
        influence.of_parameters / old_ratio + new / new_ratio,
    )
