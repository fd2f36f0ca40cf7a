"""The part that cells around another cell share."""

from __future__ import annotations

from typing import Any

from rnn_graphs.tf1 import tf


class CellWrapper(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """A cell of the sizes of `cell`, whose variables it shares; a subclass says what it does."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: tf.DType) -> Any:
        """The cell's own first state."""
        return self._cell.zero_state(batch_size, dtype)
