"""A cell that returns its state with its output, so that an unroll returns every state."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.cells.wrapper import CellWrapper

Tensor = Any


class Recorded(NamedTuple):
    """One cell application, or all of them along time."""

    output: Tensor  # [batch, output_size]
    state: Tensor  # after the application; nested as the cell's state is


class RecordingCell(CellWrapper):
    """`cell`, returning its state with its output. It shares the variables of `cell`."""

    @property
    def output_size(self) -> Recorded:
        return Recorded(self._cell.output_size, self._cell.state_size)

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Recorded, Tensor]:
        """One application of the cell."""
        output, state = self._cell(inputs, state)
        return Recorded(output, state), state
