"""The cell applications of one window as linear maps, for every cell with derivatives.

The forward pass has recorded the state before each application, so all of them are linearized at
once: nothing here depends on how the window was unrolled. A state is one vector, its parts side by
side, and so are the parameters that it depends on. Rows come first, [batch, time, …], because each
row has Jacobians of its own.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from rnn_graphs.cells.derivatives import Factor
from rnn_graphs.tf1 import tf, xla_optimization_barrier
from rnn_graphs.truncation.recording import RecordingCell
from rnn_graphs.truncation.step import StepModel, Window
from rnn_graphs.unrolls import Unrolled, UnrollFunction

Tensor = Any


class PulledErrors(NamedTuple):
    """Errors taken back through the applications of a window."""

    at_products: list[Tensor]  # of each factor, [batch, time, columns, slots]
    at_state: Tensor  # [batch, units, slots] before the first; or [batch, time, units, slots]


class _Layer(NamedTuple):
    """The way back through one layer, [batch, time, …] each."""

    slopes: tuple[Tensor, ...]
    masks: dict[str, Tensor]  # of dropout, by place


class LinearizedWindow:
    """The cell applications of one window, at the states that the forward pass went through."""

    def __init__(self, model: StepModel, window: Window, inputs: Tensor, states: Tensor) -> None:
        """inputs: encoded, [time, batch, …]; states: after each application, [time, batch, …]."""
        self._layers, self._compiled = model.layers, model.compiled
        self._weights = [list(map(tf.convert_to_tensor, one.variables)) for one in self._layers]
        self._sizes = [size for layer in self._layers for size in layer.sizes]
        parts = zip(tf.nest.flatten(window.state), tf.nest.flatten(states), strict=True)
        before = [_batch_first(tf.concat([first[None], after[:-1]], 0)) for first, after in parts]
        self.batch, self.time = (int(size) for size in before[0].shape[:2])
        self.units, self.dtype = sum(self._sizes), before[0].dtype
        one_hot = model.embedded(window.inputs)
        self._embeds = one_hot is not None
        self.factors = [Factor(_batch_first(one_hot))] if self._embeds else []
        self._tape = self._linearize(inputs, before)

    def _linearize(self, inputs: Tensor, before: list[Tensor]) -> list[_Layer]:
        """All layers, from the first: the outputs of one are the inputs of the next."""
        x, *masks = map(_batch_first, tf.nest.flatten(inputs))
        tape = []
        for layer, weights in zip(self._layers, self._weights, strict=True):
            state, before = before[: len(layer.sizes)], before[len(layer.sizes) :]
            mine, masks = masks[: len(layer.masks)], masks[len(layer.masks) :]
            mask = dict(zip(layer.masks, mine, strict=True))
            x = _masked(x, mask, "input")
            found = layer.derivatives.linearize(weights, x, state)
            x = _masked(found.output, mask, "output")
            self.factors += found.factors
            slopes = found.slopes
            if self._compiled and slopes:  # else XLA computes them anew in each slot
                slopes = tuple(xla_optimization_barrier(list(slopes)))
            tape.append(_Layer(slopes, mask))
        return tape

    def steps(self) -> list[LinearizedWindow]:
        """Each application as a window of its own."""
        return [self._step(slice(time, time + 1)) for time in range(self.time)]

    def _step(self, time: slice) -> LinearizedWindow:
        step = copy.copy(self)
        step.time = 1
        step._tape = _at(self._tape, time)
        step.factors = [one._replace(values=one.values[:, time]) for one in self.factors]
        return step

    def pull(self, errors: Tensor) -> PulledErrors:
        """Errors at the last state, [batch, units, slots], through all applications in turn."""
        found = []
        for time in reversed(range(self.time)):
            at_products, errors = self._pull(_at(self._tape, time), errors)
            found.append(at_products)
        steps = zip(*reversed(found), strict=True)
        return PulledErrors([tf.stack(step, 1) for step in steps], errors)

    def pull_each(self, errors: Tensor) -> PulledErrors:
        """Errors at the state after each application, [batch, time, units, slots], through it."""
        return PulledErrors(*self._pull(self._tape, errors))

    def _pull(self, tape: list[_Layer], errors: Tensor) -> tuple[list[Tensor], Tensor]:
        """Errors at the results of the products, and at the old state."""
        parts = tf.split(errors, self._sizes, -2)
        products: list[Tensor] = []
        before: list[Tensor] = []
        at_output: Tensor | None = None  # of the layer, from the layer above
        layers = [*zip(self._layers, self._weights, tape, strict=True)]
        for layer, weights, taped in reversed(layers):
            parts, mine = parts[: -len(layer.sizes)], parts[-len(layer.sizes) :]
            mine[-1] = _masked(mine[-1], _slots(taped.masks), "state")
            if at_output is not None:
                mine[-1] += _masked(at_output, _slots(taped.masks), "output")
            pulled = layer.derivatives.pull(weights, _slots(taped.slopes), mine)
            products = [*pulled.at_products, *products]
            before = [*pulled.at_state, *before]
            at_output = _masked(pulled.at_inputs, _slots(taped.masks), "input")
        return [at_output, *products] if self._embeds else products, _side_by_side(before)

    def row_gradients(self, at_products: list[Tensor]) -> Tensor:
        """The gradient of each row, summed over time, [batch, parameters, slots]."""
        parts = [
            _row_gradient(factor, errors)
            for factor, errors in zip(self.factors, at_products, strict=True)
        ]
        return _side_by_side(parts)

    def jacobians(self) -> Tensor:
        """∂h_t/∂h_{t−1}, [batch, time, units of h_t, units of h_{t−1}]."""
        identity = tf.eye(self.units, batch_shape=[self.batch, self.time], dtype=self.dtype)
        return tf.linalg.matrix_transpose(self.pull_each(identity).at_state)

    def product(self) -> tuple[Tensor, Tensor]:
        """Of a cell f(v W), v = [x, h, 1]: v, [batch, time, rows], and f′, [batch, time, units]."""
        (factor,), ((slopes, masks),) = self.factors, self._tape
        return factor.values, _masked(slopes[0], masks, "state")


def unroll_recorded(
    cell: Any, unroll: UnrollFunction, inputs: Tensor, window: Window
) -> tuple[Unrolled, Tensor]:
    """The unroll of a cell, and the state after each application, [time, batch, …]."""
    assert window.lengths is None, "only examples have lengths, and nothing is carried to one"
    recorded = unroll(RecordingCell(cell), inputs, window.state, None)
    return Unrolled(recorded.outputs.output, recorded.final_state), recorded.outputs.state


def _row_gradient(factor: Factor, errors: Tensor) -> Tensor:
    """Of one weight: [batch, time, columns, slots] → [batch, rows · columns, slots]."""
    batch, time, columns, slots = (int(size) for size in errors.shape)
    if factor.by_column:
        return tf.reduce_sum(errors * factor.values[..., None], 1)
    flat = tf.reshape(errors, [batch, time, columns * slots])
    products = tf.matmul(factor.values, flat, transpose_a=True)
    return tf.reshape(products, [batch, int(factor.values.shape[-1]) * columns, slots])


def _side_by_side(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, -2)


def _at(tape: Any, time: int | slice) -> Any:
    """The part of [batch, time, …] at a time step, or at several."""
    return tf.nest.map_structure(lambda part: part[:, time], tape)


def _slots(tape: Any) -> Any:
    """[…, units] → […, units, 1]."""
    return tf.nest.map_structure(lambda part: part[..., None], tape)


def _masked(part: Tensor, masks: dict[str, Tensor], place: str) -> Tensor:
    return part * masks[place] if place in masks else part


def _batch_first(part: Tensor) -> Tensor:
    """[time, batch, …] → [batch, time, …]."""
    return tf.transpose(part, [1, 0, *range(2, len(part.shape))])
