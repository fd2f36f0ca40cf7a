"""An encoder and a decoder with weights of their own, as one cell that changes at the border.

A step whose input is one of the decoder's applies the decoder to the state; every other step
applies the encoder. The state passes from one to the other unchanged, and so do errors. Source:
Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", with the encoder's
final state as the decoder's first one (Sutskever, Vinyals & Le 2014).
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.wrapper import CellWrapper
from rnn_graphs.tf1 import tf

Tensor = Any


class EncoderDecoderCell(CellWrapper):
    """Its inputs are a pair: those of both cells, and [batch, 1], 1 where the decoder reads."""

    def __init__(self, encoder: Any, decoder: Any) -> None:
        super().__init__(encoder)
        self._decoder = decoder

    def call(self, inputs: tuple[Tensor, Tensor], state: Any) -> tuple[Any, Any]:
        """One application of both cells; each row takes the results of one of them."""
        own, is_decoding = inputs
        encoded, decoded = self._cell(own, state), self._decoder(own, state)
        found: tuple[Any, Any] = tf.nest.map_structure(
            lambda a, b: tf.where_v2(is_decoding > 0, b, a), encoded, decoded
        )
        return found
