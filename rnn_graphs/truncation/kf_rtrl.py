"""kf_rtrl: J as a random Kronecker product, for cells of the form f([x, h] W + b).

∂⁺h_t/∂(W, b) of such a cell is v ⊗ diag(f') with v = [x, h, 1]. With random signs c₁ and c₂,

    u ← c₁ ρ₁ u + c₂ ρ₂ v,    A ← c₁ D A / ρ₁ + c₂ diag(f') / ρ₂,

at each step, where D = ∂h_t/∂h_{t−1}: the mean of u ⊗ A is D J + v ⊗ diag(f'). Source: Mujika,
Meier & Steger 2018, "Approximating Real-Time Recurrent Learning with Random Kronecker Factors".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.influence import Influence
from rnn_graphs.truncation.linearized import LinearizedWindow
from rnn_graphs.truncation.signs import random_signs, ratio
from rnn_graphs.truncation.step import StepModel

Tensor = Any


class Kronecker(NamedTuple):
    """J as a product: the influence of W[k, j] on unit i is u_k A_ij."""

    of_inputs: Tensor  # u [batch, rows of W + 1]
    of_units: Tensor  # A [batch, units, units]


class KroneckerFactored(Influence):
    """J as a random Kronecker product."""

    def first(self, model: StepModel, batch_size: int) -> Kronecker:
        """Zeros."""
        rows, units = (int(size) for size in model.recurrent_variables[0].shape)
        return Kronecker(
            tf.zeros([batch_size, rows + 1], model.dtype),
            tf.zeros([batch_size, units, units], model.dtype),
        )

    def credit(self, _model: StepModel, influence: Kronecker, errors: Tensor) -> Tensor:
        """E J."""
        at_products = tf.linalg.matvec(influence.of_units, errors, transpose_a=True)
        return tf.reshape(tf.matmul(influence.of_inputs, at_products, transpose_a=True), [-1])

    def carry_on(
        self, model: StepModel, influence: Kronecker, window: LinearizedWindow, key: Tensor
    ) -> Kronecker:
        """The estimate after the window, with signs drawn from its key."""
        signs = random_signs([window.time, 2, window.batch, 1], key, window.dtype)
        return after(model, influence, window, signs)


def after(
    model: StepModel, influence: Kronecker, window: LinearizedWindow, signs: Tensor
) -> Kronecker:
    """The estimate after the window, with these signs, [time, 2, batch, 1]."""
    weights = tf.convert_to_tensor(model.recurrent_variables[0])[-window.units :]
    steps = [tf.unstack(part, axis=1) for part in window.product()]
    u, A = influence
    for pair, v, slopes in zip(tf.unstack(signs), *steps, strict=True):
        first, second = tf.unstack(pair)
        DA = slopes[..., None] * tf.einsum("ji,bjk->bik", weights, A)
        diagonal = tf.linalg.diag(slopes)
        old, new = ratio(DA, u), ratio(diagonal, v)
        u = first * old * u + second * new * v
        A = (first / old)[..., None] * DA + (second / new)[..., None] * diagonal
    return Kronecker(u, A)
