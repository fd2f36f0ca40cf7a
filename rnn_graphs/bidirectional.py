"""Bidirectional layers, which read their inputs in both directions and return both outputs.

    outputs        f_0 b_0   f_1 b_1   f_2 b_2      [time, batch, 2 * output_size]
    backward  <-- cell' <--- cell' <--- cell'
    forward   --> cell  ---> cell  ---> cell
    inputs          x_0       x_1       x_2         [time, batch, input_size]

The first output depends on the last input, so no state can be carried from one window to the next.
In a stack, each layer reads the outputs of both directions of the layer below, as in contrib's
`stack_bidirectional_dynamic_rnn`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_graphs.tf1 import tf
from rnn_graphs.unrolls import Unrolled, UnrollFunction, scan, scratch, stack, unstack

Tensor = Any


class Directions(NamedTuple):
    """The two cells of one layer."""

    forward: Any
    backward: Any


class BidirectionalLayers:
    """The cells of all layers, which take the place of a cell."""

    state_size = ()  # no state to carry

    def __init__(self, layers: list[Directions], dropout: bool) -> None:
        self.layers = layers
        self.dropout = dropout
        self.output_size = layers[-1].forward.output_size + layers[-1].backward.output_size

    def zero_state(self, _batch_size: Any, _dtype: tf.DType) -> tuple[()]:
        """The empty state."""
        return ()


LayerFunction = Callable[[Directions, Tensor, Tensor | None], Tensor]


def _in_turn(
    unroll: UnrollFunction, both: Directions, inputs: Tensor, lengths: Tensor | None
) -> Tensor:  # fmt: skip
    """One direction after the other; the backward one reads its inputs reversed."""
    time, batch, dtype = _shape(inputs)
    ends = tf.fill([batch], time) if lengths is None else lengths

    def reverse(part: Tensor) -> Tensor:
        return tf.reverse_sequence(part, ends, seq_axis=0, batch_axis=1)

    forward = unroll(both.forward, inputs, both.forward.zero_state(batch, dtype), lengths)
    reversed_inputs = tf.nest.map_structure(reverse, inputs)
    start = both.backward.zero_state(batch, dtype)
    backward = unroll(both.backward, reversed_inputs, start, lengths)
    return tf.concat([forward.outputs, reverse(backward.outputs)], 2)


def _static(both: Directions, inputs: Tensor, lengths: Tensor | None) -> Tensor:
    _, _, dtype = _shape(inputs)
    outputs, _, _ = tf.nn.static_bidirectional_rnn(
        both.forward, both.backward, unstack(inputs), dtype=dtype, sequence_length=lengths
    )
    return stack(outputs)


def _dynamic(both: Directions, inputs: Tensor, lengths: Tensor | None) -> Tensor:
    _, _, dtype = _shape(inputs)
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(
        both.forward, both.backward, inputs, lengths, dtype=dtype, time_major=True
    )
    return tf.concat(outputs, 2)


def _shape(inputs: Tensor) -> tuple[Tensor, Tensor, tf.DType]:
    first = tf.nest.flatten(inputs)[0]
    shape = tf.shape(first)
    return shape[0], shape[1], first.dtype


def _stacked(layer: LayerFunction) -> UnrollFunction:
    """An unroll of all layers, with the signature of the others."""

    def unroll(
        cells: BidirectionalLayers, inputs: Tensor, _state: tuple[()], lengths: Tensor | None
    ) -> Unrolled:
        outputs, masks = inputs if cells.dropout else (inputs, ())
        for place, both in enumerate(cells.layers):
            inner = (outputs, (masks[place],)) if cells.dropout else outputs
            outputs = layer(both, inner, lengths)
        return Unrolled(outputs, ())

    return unroll


BIDIRECTIONAL_UNROLLS: dict[str, UnrollFunction] = {
    "scratch": _stacked(functools.partial(_in_turn, scratch)),
    "static": _stacked(_static),
    "dynamic": _stacked(_dynamic),
    "scan": _stacked(functools.partial(_in_turn, scan)),
}
