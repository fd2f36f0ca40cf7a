"""The Jacobians of the cell applications of one window, for every cell.

The forward pass has recorded the state before each application, so all applications are linear
maps side by side: nothing here depends on how the window was unrolled. A state is one vector,
[batch, units], its parts side by side; the variables it depends on are one vector of parameters.
"""

from __future__ import annotations

import copy
from typing import Any

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.crossing import gradients
from rnn_graphs.truncation.recording import RecordingCell
from rnn_graphs.truncation.step import StepModel, Window
from rnn_graphs.unrolls import Unrolled, UnrollFunction

Tensor = Any


class LinearizedWindow:
    """The cell applications of one window, at the states that the forward pass went through."""

    def __init__(self, model: StepModel, window: Window, inputs: Tensor, states: Tensor) -> None:
        """inputs: encoded, [time, batch, …]; states: after each application, [time, batch, …]."""
        inside = None
        if window.lengths is not None:
            time = tf.range(int(window.inputs.shape[0]))
            inside = tf.cast(time[:, None] < window.lengths, model.dtype)
        parts = zip(tf.nest.flatten(window.state), tf.nest.flatten(states), strict=True)
        before = [tf.concat([first[None], after[:-1]], 0) for first, after in parts]
        self._maps = _CellMaps(model, [int(part.shape[-1]) for part in before])
        self._set(window.inputs, inputs, tf.concat(before, 2), inside)

    def _set(self, ids: Tensor, inputs: Tensor, before: Tensor, inside: Tensor | None) -> None:
        self._ids, self._inputs, self._before = ids, inputs, before
        self.inside = inside  # [time, batch]: 1 before a row's end, 0 in its padding; None: all 1
        self.time, self.batch, self.units = (int(size) for size in before.shape)
        self.dtype = before.dtype

    def steps(self) -> list[LinearizedWindow]:
        """Each application as a window of its own."""
        return [self._step(slice(time, time + 1)) for time in range(self.time)]

    def _step(self, time: slice) -> LinearizedWindow:
        step = copy.copy(self)
        inputs = tf.nest.map_structure(lambda part: part[time], self._inputs)
        inside = None if self.inside is None else self.inside[time]
        step._set(self._ids[time], inputs, self._before[time], inside)
        return step

    def jacobians(self) -> Tensor:
        """∂h_t/∂h_{t−1}, [time, batch, units of h_t, units of h_{t−1}]."""
        identity = tf.eye(self.units, dtype=self.dtype)
        slots = tf.tile(identity[:, None], [1, self.time * self.batch, 1])
        found = tf.transpose(self._maps.pull(*self._rows(), slots), [1, 0, 2])
        jacobians = tf.reshape(found, [self.time, self.batch, self.units, self.units])
        if self.inside is None:
            return jacobians
        inside = self.inside[..., None, None]
        return inside * jacobians + (1 - inside) * identity

    def row_gradients(self, errors: Tensor) -> Tensor:
        """Σ_t errors_t ∂⁺h_t/∂θ for each row.

        errors: at the new states, [slots, time, batch, units]. Returns [batch, slots, parameters].
        """
        if self.inside is not None:
            errors *= self.inside[..., None]
        inputs = tf.nest.map_structure(_batch_first, self._inputs)
        before, errors = _batch_first(self._before), tf.transpose(errors, [2, 0, 1, 3])
        return self._maps.row_gradients(_batch_first(self._ids), inputs, before, errors)

    def pull(self, errors: Tensor) -> Tensor:
        """Errors at the last state taken to each state: [batch, units] → [time, batch, units].

        The first of them is at the state after the first application.
        """
        found = [errors]
        for step in reversed(self.steps()[1:]):
            taken = step._maps.pull(*step._rows(), found[-1][None])[0]
            found.append(step._where_inside(taken, found[-1]))
        return tf.stack(found[::-1])

    def push(self, tangent: Tensor) -> Tensor:
        """(∂h_T/∂h_0) tangent, [batch, units]."""
        for step in self.steps():
            tangent = step._where_inside(step._maps.push(*step._rows(), tangent), tangent)
        return tangent

    def bias_slopes(self) -> Tensor:
        """Of a cell f([x, h] W + b): the derivative of f, [time, batch, units]."""
        slopes = self._maps.bias_slopes(*self._rows())
        return tf.reshape(slopes, [self.time, self.batch, self.units])

    def product_inputs(self) -> Tensor:
        """Of a cell f([x, h] W + b): [x, h, 1], [time, batch, rows of W + 1]."""
        encoded = tf.nest.flatten(self._inputs)[0]
        return tf.concat([encoded, self._before, tf.ones_like(encoded[..., :1])], 2)

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Inputs and old states of all applications, as one batch."""
        return tf.nest.map_structure(_merged, self._inputs), _merged(self._before)

    def _where_inside(self, value: Tensor, otherwise: Tensor) -> Tensor:
        if self.inside is None:
            return value
        inside = self.inside[0][:, None]
        return inside * value + (1 - inside) * otherwise


class _CellMaps:
    """Linear maps of a batch of cell applications. Each shape is traced once."""

    def __init__(self, model: StepModel, sizes: list[int]) -> None:
        self._model = model
        self._sizes = sizes
        self._traced: dict[Any, Any] = {}

    def pull(self, inputs: Tensor, before: Tensor, slots: Tensor) -> Tensor:
        """Errors at the new states taken to the old ones, [slots, rows, units]."""

        def pulled(inputs: Tensor, before: Tensor, slots: Tensor) -> Tensor:
            end = self._apply(inputs, before)
            return _each(lambda error: gradients([end], [before], [error])[0], slots)

        return self._call("pull", pulled, (inputs, before, slots))

    def push(self, inputs: Tensor, before: Tensor, tangent: Tensor) -> Tensor:
        """Tangents of the old states taken to the new ones, [rows, units]."""

        def pushed(inputs: Tensor, before: Tensor, tangent: Tensor) -> Tensor:
            end = self._apply(inputs, before)
            return _forward(end, before, tangent)

        return self._call("push", pushed, (inputs, before, tangent))

    def bias_slopes(self, inputs: Tensor, before: Tensor) -> Tensor:
        """The derivative of the new states by the bias, of which each unit has its own."""

        def slopes(inputs: Tensor, before: Tensor) -> Tensor:
            _, bias = self._model.recurrent_variables
            end = self._apply(inputs, before)
            return _forward(end, bias, tf.ones(bias.shape, end.dtype))

        return self._call("bias_slopes", slopes, (inputs, before))

    def row_gradients(self, ids: Tensor, inputs: Tensor, before: Tensor, errors: Tensor) -> Tensor:
        """Gradients of the variables for each row: [batch, slots, time, units] → [..., parameters].

        The batch of the cell is the time of one row.
        """

        def of_row(row: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
            ids, inputs, before, errors = row
            # Encoded again, because the embedding is one of the variables. Masks stay: they were
            # drawn for the whole batch.
            encoded, *masks = tf.nest.flatten(inputs)
            again = tf.reshape(self._model.encode_by_products(ids), encoded.shape)
            end = self._apply(tf.nest.pack_sequence_as(inputs, [again, *masks]), before)
            return _each(lambda error: self._by_parameter(end, error), errors)

        def of_rows(*arguments: Tensor) -> Tensor:
            return _each(of_row, arguments)

        return self._call("row_gradients", of_rows, (ids, inputs, before, errors))

    def _by_parameter(self, end: Tensor, error: Tensor) -> Tensor:
        found = gradients([end], self._model.recurrent_variables, [error])
        return tf.concat([tf.reshape(part, [-1]) for part in found], 0)

    def _apply(self, inputs: Tensor, before: Tensor) -> Tensor:
        """The new state of one application, as one vector."""
        parts = tf.split(before, self._sizes, -1)
        nested = tf.nest.pack_sequence_as(self._model.cell.state_size, parts)
        _, state = self._model.cell(inputs, nested)
        return tf.concat(tf.nest.flatten(state), -1)

    def _call(self, name: str, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Call a traced function, so that what it differentiates is its own."""
        specs = tf.nest.map_structure(
            lambda part: tf.TensorSpec(part.shape, part.dtype), list(arguments)
        )
        place = (name, *[tuple(part.shape) for part in tf.nest.flatten(arguments)])
        if place not in self._traced:
            traced = tf.function(function, input_signature=specs, autograph=False)
            self._traced[place] = traced.get_concrete_function()
        return self._traced[place](*arguments)


def unroll_recorded(
    cell: Any, unroll: UnrollFunction, inputs: Tensor, window: Window
) -> tuple[Unrolled, Tensor]:
    """The unroll of a cell, and the state after each application, [time, batch, …]."""
    recorded = unroll(RecordingCell(cell), inputs, window.state, window.lengths)
    return Unrolled(recorded.outputs.output, recorded.final_state), recorded.outputs.state


def _each(function: Any, arguments: Any) -> Any:
    return tf.vectorized_map(function, arguments, fallback_to_while_loop=False)


def _forward(end: Tensor, start: Tensor, tangent: Tensor) -> Tensor:
    """(∂end/∂start) tangent. The gradient is linear in the error, so its own gradient is this."""
    error = tf.zeros_like(end)
    return gradients(gradients([end], [start], [error]), [error], [tangent])[0]


def _merged(part: Tensor) -> Tensor:
    """[time, batch, …] → [time · batch, …]."""
    time, batch, *rest = (int(size) for size in part.shape)
    return tf.reshape(part, [time * batch, *rest])


def _batch_first(part: Tensor) -> Tensor:
    """[time, batch, …] → [batch, time, …]."""
    return tf.transpose(part, [1, 0, *range(2, len(part.shape))])
