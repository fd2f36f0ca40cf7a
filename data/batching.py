"""Cut data into a batch of rows of windows, as the blog's `gen_batch` does.

sequence:  0 1 2 3 4 5 6 7 8 9 …          batch_size rows, cut from the sequence in turn
row 0:    [0 1 2 | 3 4 5 | … ]            windows of num_steps; the state is carried
row 1:    [k …   |       |   ]            from each window to the next one on its right

Examples lie in the same rows, one in each window, and no state is carried.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import Array, Drawn, Examples, Sequence


class Windows(NamedTuple):
    """Consecutive training windows, side by side."""

    inputs: Array  # [batch, context + windows * num_steps], or with [num_inputs] as well
    labels: Array  # [batch, windows * num_steps]
    weights: NDArray[np.float32] | None = None  # [batch, windows * num_steps]; None: all count
    lengths: NDArray[np.int32] | None = None  # [batch, windows]; None: all full


class Rows(NamedTuple):
    """One epoch as rows of equal length. A rest that does not fill a row is left out."""

    inputs: Array  # [batch, time], or [batch, time, num_inputs]
    labels: Array  # [batch, time]
    weights: NDArray[np.float32] | None = None  # [batch, time]
    lengths: NDArray[np.int32] | None = None  # [batch, windows]

    def windows(self, first: int, count: int, num_steps: int, context: int = 0) -> Windows:
        """`count` windows of `num_steps`, from window number `first` on.

        The inputs begin `context` steps before the first label. A row's first `context`
        steps have no labels: they are context only.
        """
        start, stop = first * num_steps, (first + count) * num_steps
        labels = slice(context + start, context + stop)
        return Windows(
            self.inputs[:, start : context + stop],
            self.labels[:, labels],
            None if self.weights is None else self.weights[:, labels],
            None if self.lengths is None else self.lengths[:, first : first + count],
        )


def cut_into_rows(drawn: Drawn, batch_size: int) -> Rows:
    """A Sequence as [batch_size, size // batch_size], without a copy; Examples side by side."""
    length = len(drawn.inputs) // batch_size
    parts: list[Array] = [part[: batch_size * length] for part in drawn]
    if not isinstance(drawn, Examples):
        return Rows(*[part.reshape(batch_size, length) for part in parts])
    return Rows(
        _side_by_side(parts[0], batch_size),
        _side_by_side(parts[1], batch_size),
        _side_by_side(parts[2], batch_size),
        np.ascontiguousarray(parts[3].reshape(length, batch_size).T),
    )


def _side_by_side(part: NDArray[Any], batch_size: int) -> NDArray[Any]:
    """[batches * batch, time, …] → [batch, batches * time, …]: a batch of examples a window."""
    batches = part.reshape(-1, batch_size, *part.shape[1:]).swapaxes(0, 1)
    return batches.reshape(batch_size, -1, *part.shape[2:])


def in_windows(sequence: Sequence, num_steps: int) -> Examples:
    """A Sequence in windows that each start anew; the last one is padded at its end."""
    size = len(sequence.labels)
    count = -(-size // num_steps)
    lengths = np.full(count, num_steps, np.int32)
    lengths[-1] -= count * num_steps - size
    inputs, labels = (
        np.concatenate([part, np.zeros(count * num_steps - size, part.dtype)]).reshape(count, -1)
        for part in sequence
    )
    weights = (np.arange(num_steps) < lengths[:, None]).astype(np.float32)
    return Examples(inputs, labels, weights, lengths)


def sequence_windows(size: int, batch_size: int, num_steps: int, context: int) -> int:
    """Whole windows in an epoch of one long sequence. Raises ValueError where there is none."""
    length = size // batch_size
    if not length:
        raise ValueError(
            f"graph.batch_size: expected at most the size of the data, {size}; got {batch_size}"
        )
    if length < num_steps + context:
        more = f" less {context} steps of context" if context else ""
        raise ValueError(
            "graph.num_steps: expected at most the length of a row, the size of the data // "
            f"graph.batch_size = {length}{more}; got {num_steps}"
        )
    return (length - context) // num_steps


def example_windows(
    count: int, length: int, batch_size: int, num_steps: int, context: int
) -> int:  # fmt: skip
    """Whole batches in an epoch of examples. Raises ValueError where they do not fit."""
    if num_steps != length:
        raise ValueError(
            f"graph.num_steps: expected the length of an example, {length}; got {num_steps}"
        )
    if context:
        raise ValueError(
            "truncation.context: an example has no steps before its first; expected false, got true"
        )
    if batch_size > count:
        raise ValueError(
            f"graph.batch_size: expected at most the number of examples, {count}; got {batch_size}"
        )
    return count // batch_size
