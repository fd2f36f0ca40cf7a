"""The Jacobians of the cell applications of one window, for every cell.

The forward pass has recorded the state before each application, so all applications are linear
maps side by side: nothing here depends on how the window was unrolled. A state is one vector,
[batch, units], its parts side by side; the variables it depends on are one vector of parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.recording import RecordingCell
from rnn_graphs.truncation.step import StepModel, Window
from rnn_graphs.unrolls import Unrolled, UnrollFunction

Tensor = Any


class LinearizedWindow:
    """The cell applications of one window, at the states that the forward pass went through."""

    def __init__(self, model: StepModel, window: Window, inputs: Tensor, states: Tensor) -> None:
        """inputs: encoded, [time, batch, …]; states: after each application, [time, batch, …]."""
        self._model = model
        self.dtype = model.dtype
        self._window = window
        self._inputs = inputs
        self.time, self.batch = (int(size) for size in window.inputs.shape[:2])
        self._sizes = [int(part.shape[-1]) for part in tf.nest.flatten(window.state)]
        self.units = sum(self._sizes)
        parts = zip(tf.nest.flatten(window.state), tf.nest.flatten(states), strict=True)
        self._before = tf.concat(
            [tf.concat([first[None], after[:-1]], 0) for first, after in parts], 2
        )
        self.inside = None  # [time, batch]: 1 before a row's end, 0 in its padding
        if window.lengths is not None:
            self.inside = tf.cast(tf.range(self.time)[:, None] < window.lengths, model.dtype)

    def jacobians(self) -> Tensor:
        """∂h_t/∂h_{t−1}, [time, batch, units of h_t, units of h_{t−1}]."""
        rows = self.time * self.batch
        inputs = tf.nest.map_structure(lambda part: _merge(part, rows), self._inputs)
        slots = tf.tile(tf.eye(self.units, dtype=self._model.dtype)[:, None], [1, rows, 1])
        found = self._pulled(inputs, _merge(self._before, rows), slots)
        shape = [self.time, self.batch, self.units, self.units]
        jacobians = tf.reshape(tf.transpose(found, [1, 0, 2]), shape)
        if self.inside is None:
            return jacobians
        inside = self.inside[..., None, None]
        return inside * jacobians + (1 - inside) * tf.eye(self.units, dtype=self._model.dtype)

    def row_gradients(self, errors: Tensor) -> Tensor:
        """Σ_t errors_t ∂⁺h_t/∂θ for each row.

        errors: at the new states, [slots, time, batch, units]. Returns [batch, slots, parameters].
        """
        if self.inside is not None:
            errors *= self.inside[..., None]
        window = self._window
        ids = tf.transpose(window.inputs, _swapped(window.inputs))
        inputs = tf.nest.map_structure(
            lambda part: tf.transpose(part, _swapped(part)), self._inputs
        )
        before = tf.transpose(self._before, [1, 0, 2])
        arguments = (ids, inputs, before, tf.transpose(errors, [2, 0, 1, 3]))

        def of_row(row: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
            ids, inputs, before, errors = row
            # Encoded again, because the embedding is one of the variables. Masks stay: they were
            # drawn for the whole batch.
            encoded, *masks = tf.nest.flatten(inputs)
            again = tf.reshape(self._model.encode_by_products(ids), encoded.shape)
            _, end = self._apply(tf.nest.pack_sequence_as(inputs, [again, *masks]), before)
            return tf.vectorized_map(
                lambda error: self._parameter_gradient(end, error), errors,
                fallback_to_while_loop=False,
            )  # fmt: skip

        def of_rows(*arguments: Tensor) -> Tensor:
            return tf.vectorized_map(of_row, arguments, fallback_to_while_loop=False)

        return _call(of_rows, arguments)

    def _parameter_gradient(self, end: Tensor, error: Tensor) -> Tensor:
        variables = self._model.recurrent_variables
        zero = tf.UnconnectedGradients.ZERO
        found = tf.gradients(end, variables, error, unconnected_gradients=zero)
        return tf.concat([tf.reshape(tf.convert_to_tensor(part), [-1]) for part in found], 0)

    def _pulled(self, inputs: Tensor, before: Tensor, slots: Tensor) -> Tensor:
        """Errors at the new states taken to the old ones, [slots, rows, units]."""

        def pull(inputs: Tensor, before: Tensor, slots: Tensor) -> Tensor:
            _, end = self._apply(inputs, before)
            return tf.vectorized_map(
                lambda error: tf.gradients(
                    end, before, error, unconnected_gradients=tf.UnconnectedGradients.ZERO
                )[0],
                slots, fallback_to_while_loop=False,
            )  # fmt: skip

        return _call(pull, (inputs, before, slots))

    def _apply(self, inputs: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """One application of the cell: its output, and its new state as one vector."""
        parts = tf.split(before, self._sizes, -1)
        nested = tf.nest.pack_sequence_as(self._model.cell.state_size, parts)
        output, state = self._model.cell(inputs, nested)
        return output, tf.concat(tf.nest.flatten(state), -1)


def unroll_recorded(
    cell: Any, unroll: UnrollFunction, inputs: Tensor, window: Window
) -> tuple[Unrolled, Tensor]:
    """The unroll of a cell, and the state after each application, [time, batch, …]."""
    recorded = unroll(RecordingCell(cell), inputs, window.state, window.lengths)
    return Unrolled(recorded.outputs.output, recorded.final_state), recorded.outputs.state


def _call(function: Any, arguments: Sequence[Any]) -> Any:
    """Trace a function and call it, so that what it differentiates is its own."""
    specs = tf.nest.map_structure(
        lambda part: tf.TensorSpec(part.shape, part.dtype), list(arguments)
    )
    traced = tf.function(function, input_signature=specs, autograph=False)
    return traced.get_concrete_function()(*arguments)


def _merge(part: Tensor, rows: int) -> Tensor:
    """[time, batch, …] → [time · batch, …]."""
    return tf.reshape(part, [rows, *[int(size) for size in part.shape[2:]]])


def _swapped(part: Tensor) -> list[int]:
    """The permutation that exchanges the first two dimensions."""
    return [1, 0, *range(2, len(part.shape))]
