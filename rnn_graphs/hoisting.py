"""Products of all time steps as one, for cells whose parts are known.

A cell multiplies its input and its state by weights in every step. Two of these products need not
wait for the step before:

- the inputs' part, X W_x + b: one product before the first step;
- the gradient of the state's part, dL/dW_h = Σ_t h_{t−1}ᵀ δ_t with δ_t the error at the product's
  result: one product Hᵀ Δ after the last. TensorFlow would make a matrix of W's size in each step,
  and add them up.

Only h_{t−1} W_h and its error δ_t W_hᵀ remain in the steps. The results are the same but for
rounding. An unroll with `@hoisting`, which `scan` lacks, does this where it is given such a cell
itself. A cell in a stack, with dropout, gates or recording is applied step by step.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any
State = Any
Unroll = Callable[..., Any]


class HoistedCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """A cell h_t = step(x_t W_x + b, h_{t−1}, W_h), whose output is its state h."""

    @abstractmethod
    def project(self, inputs: Tensor) -> Tensor:
        """x W_x + b of all products side by side, [..., input_size] → [..., columns]."""

    @property
    @abstractmethod
    def recurrent_weights(self) -> list[Tensor]:
        """W_h of each product, [units, columns]."""

    @abstractmethod
    def step(
        self, projected: Tensor, state: State, weights: list[Tensor]
    ) -> tuple[Tensor, State]:  # fmt: skip
        """One application, from the projected input [batch, columns]: output and state."""

    @abstractmethod
    def hidden(self, state: State) -> Tensor:
        """The part of the state that is the output."""

    @abstractmethod
    def multiplied(self, projected: Tensor, before: Tensor, weights: list[Tensor]) -> list[Tensor]:
        """What each of the recurrent weights multiplies, [time, batch, units], of all steps.

        before: the output before each step, [time, batch, units].
        """

    def call(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """[batch, input_size] and a state → output and state."""
        return self.step(self.project(inputs), state, self.recurrent_weights)


class _Stepper(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """A cell's step, whose inputs are projected and whose weights are constant."""

    def __init__(self, cell: HoistedCell, weights: list[Tensor]) -> None:
        super().__init__(dtype=cell.dtype)
        self._cell = cell
        self._weights = weights

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> int:
        return int(self._cell.output_size)

    def call(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        return self._cell.step(inputs, state, self._weights)


def hoisting(unroll: Unroll) -> Unroll:
    """The unroll, with the products of a HoistedCell hoisted out of the steps."""

    @functools.wraps(unroll)
    def unroll_hoisted(cell: Any, inputs: Tensor, initial_state: State, lengths: Any) -> Any:
        if not isinstance(cell, HoistedCell):
            return unroll(cell, inputs, initial_state, lengths)
        weights = cell.recurrent_weights
        outputs: list[Tensor] = []  # known after the steps; the gradient is built later
        projected = _with_gradient_of(cell, weights, cell.project(inputs), initial_state, outputs)
        stepper = _Stepper(cell, [tf.stop_gradient(each) for each in weights])
        unrolled = unroll(stepper, projected, initial_state, lengths)
        outputs.append(unrolled.outputs)
        return unrolled

    return unroll_hoisted


def _with_gradient_of(
    cell: HoistedCell,
    weights: list[Tensor],
    projected: Tensor,
    initial_state: State,
    outputs: list[Tensor],
) -> Tensor:
    """`projected`, whose errors give the gradient of the recurrent weights too."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def with_gradient(projected: Tensor, *weights: Tensor) -> tuple[Tensor, Any]:
        def gradients(errors: Tensor) -> tuple[Tensor, ...]:
            first = cell.hidden(initial_state)[None]
            before = tf.stop_gradient(tf.concat([first, outputs[0][:-1]], 0))
            factors = cell.multiplied(projected, before, list(weights))
            sizes = [int(weight.shape[1]) for weight in weights]
            parts = zip(factors, tf.split(errors, sizes, 2), strict=True)
            return errors, *[_transposed_product(factor, error) for factor, error in parts]

        return tf.identity(projected), gradients

    return with_gradient(projected, *weights)


def rows_product(rows: Tensor, weights: Tensor) -> Tensor:
    """[..., depth] times [depth, columns], as one product."""
    if len(rows.shape) == 2:
        return tf.matmul(rows, weights)
    flat = tf.matmul(tf.reshape(rows, [-1, int(rows.shape[-1])]), weights)
    return tf.reshape(flat, tf.concat([tf.shape(rows)[:-1], [int(weights.shape[1])]], 0))


def _transposed_product(rows: Tensor, errors: Tensor) -> Tensor:
    """Σ over time and batch of rowsᵀ errors, [units, columns]."""
    flat = [tf.reshape(part, [-1, int(part.shape[-1])]) for part in (rows, errors)]
    return tf.matmul(*flat, transpose_a=True)
