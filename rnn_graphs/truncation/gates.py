"""Gates on errors: the identity forward, a factor backward."""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.wrapper import CellWrapper
from rnn_graphs.draws import uniform
from rnn_graphs.tf1 import tf

Tensor = Any


class GatedCell(CellWrapper):
    """`cell`, with a gate that scales the error into its previous state.

    Its inputs are a pair: the cell's own [batch, input_size], and the gate [batch, 1].
    """

    def call(self, inputs: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        """One application of the cell on the gated state."""
        own, gate = inputs
        gated_state = tf.nest.map_structure(lambda part: scale_gradient(part, gate), state)
        output, state = self._cell(own, gated_state)
        return output, state


def scale_gradient(value: Tensor, factor: Tensor) -> Tensor:
    """`value`, exactly, with its gradient multiplied by `factor`."""
    constant = tf.stop_gradient(value)
    return constant + (value - constant) * factor


def draw_gates(cut_probability: float, shape: list[int], key: Tensor, dtype: tf.DType) -> Tensor:
    """ARTBP's gates: 0 with probability c, otherwise 1/(1−c), independent by boundary and row.

    Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time".
    """
    passes = uniform(shape, key) >= cut_probability
    return tf.cast(passes, dtype) / (1 - cut_probability)
