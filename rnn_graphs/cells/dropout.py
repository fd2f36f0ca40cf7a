"""Dropout whose masks are inputs, drawn once a window so that a step can be replayed.

`tf.nn.rnn_cell.DropoutWrapper` draws inside the cell, from a generator whose state no checkpoint
can hold. Here the masks of a whole window are drawn from the window's key and pass through the
unroll beside the inputs. A resumed run gets the same masks. So does true truncation, which applies
a cell a second time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.cells.wrapper import CellWrapper
from rnn_graphs.config import ModelConfig
from rnn_graphs.draws import uniform
from rnn_graphs.tf1 import tf

Tensor = Any
Masks = tuple[Tensor, ...]  # [time, batch, width] each: 0 or 1/keep_prob
SALT = 1_000_003  # much larger than usual seeds


class MaskSpec(NamedTuple):
    """One mask of a layer."""

    place: str  # input, state or output
    keep_prob: float
    width: int


def mask_specs(config: ModelConfig, input_size: int, cell: Any) -> list[MaskSpec]:
    """The masks that one layer needs. For an LSTM's state, h is dropped and c is not."""
    hidden = tf.nest.flatten(cell.state_size)[-1]
    specs = [
        MaskSpec("input", config.input_keep_prob, input_size),
        MaskSpec("state", config.state_keep_prob, int(hidden)),
        MaskSpec("output", config.output_keep_prob, int(cell.output_size)),
    ]
    return [spec for spec in specs if spec.keep_prob < 1]


def draw_masks(
    layers: list[list[MaskSpec]], time: int, batch: int, key: Tensor, dtype: tf.DType
) -> tuple[Masks, ...]:
    """The masks of a window for each layer. The same key gives the same masks."""
    salt = 0
    result = []
    for specs in layers:
        masks = []
        for spec in specs:
            salt += 1
            seed = tf.stack([key[0] + salt * SALT, key[1]])
            drawn = uniform([time, batch, spec.width], seed)
            passes = drawn < spec.keep_prob
            masks.append(tf.cast(passes, dtype) / spec.keep_prob)
        result.append(tuple(masks))
    return tuple(result)


class DropoutCell(CellWrapper):
    """`cell` with masks on its input, its output and its new state.

    Its inputs are a pair: the cell's own [batch, input_size], and the masks of this layer and of
    the layers above, which it passes on beside its output.
    """

    def __init__(self, cell: Any, specs: list[MaskSpec]) -> None:
        super().__init__(cell)
        self._places = [spec.place for spec in specs]

    def call(self, inputs: tuple[Tensor, tuple[Masks, ...]], state: Any) -> tuple[Any, Any]:
        """One application of the cell."""
        own, (masks, *above) = inputs
        mask = dict(zip(self._places, masks, strict=True))
        output, state = self._cell(own * mask.get("input", 1), state)
        if "state" in mask:
            *others, hidden = tf.nest.flatten(state)
            state = tf.nest.pack_sequence_as(state, [*others, hidden * mask["state"]])
        output = output * mask.get("output", 1)
        return ((output, tuple(above)) if above else output), state
