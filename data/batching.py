"""Cut one long sequence into a batch of contiguous rows, as the blog's `gen_batch` does.

sequence:  0 1 2 3 4 5 6 7 8 9 …          batch_size rows, cut from the sequence in turn
row 0:    [0 1 2 | 3 4 5 | … ]            windows of num_steps; the state is carried
row 1:    [k …   |       |   ]            from each window to the next one on its right
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Windows(NamedTuple):
    """Consecutive training windows, side by side."""

    inputs: NDArray[np.int8]  # [batch, context + windows * num_steps]
    labels: NDArray[np.int8]  # [batch, windows * num_steps]


class Rows(NamedTuple):
    """One epoch as rows of equal length; what does not fill a row is left out."""

    inputs: NDArray[np.int8]  # [batch, time]
    labels: NDArray[np.int8]  # [batch, time]

    def windows(self, first: int, count: int, num_steps: int, context: int = 0) -> Windows:
        """`count` windows of `num_steps`, from window number `first` on.

        The inputs begin `context` steps before the first label. A row's first `context`
        steps have no labels: they are context only.
        """
        start, stop = first * num_steps, (first + count) * num_steps
        labels = slice(context + start, context + stop)
        return Windows(self.inputs[:, start : context + stop], self.labels[:, labels])


def cut_into_rows(inputs: NDArray[np.int8], labels: NDArray[np.int8], batch_size: int) -> Rows:
    """[size] → [batch_size, size // batch_size], without a copy."""
    length = len(inputs) // batch_size
    used = batch_size * length
    return Rows(
        inputs[:used].reshape(batch_size, length), labels[:used].reshape(batch_size, length)
    )


def count_windows(size: int, batch_size: int, num_steps: int, context: int = 0) -> int:
    """Whole windows in an epoch; 0 where a row is shorter than a window and its context."""
    return max(0, size // batch_size - context) // num_steps
