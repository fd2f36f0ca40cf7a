"""The states between the rows of one long sequence, found with the rows side by side.

sequence:  0 1 2 3 | 4 5 6 7 | 8 9 10 11        the loss of the whole sequence is the mean over its
rows:      row 0     row 1     row 2            steps, with the state carried from each row to the
start:     zeros     end of 0  end of 1         next; no row may start from zeros but the first

All rows are run from a guess, and each then starts from the end of the row before it, until no
start changes. The starts then follow from each other as they do in one row, however many rows
there are. A network that forgets its start within a row needs two or three passes; the slower it
forgets, the more it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from data.task import Array

PASSES = 8  # more are slower than one row, which is what a network that never forgets needs
TOLERANCE = 100  # units in the last place: what two orders of the same sums may differ by


def starts_of_rows(
    ends_of: Callable[[Sequence[Array]], Sequence[Array]], zeros: Sequence[Array]
) -> list[Array] | None:
    """The state at the start of each row, [rows, …] arrays; None where no passes find it.

    `ends_of` runs every row from such states and returns the states at their ends. `zeros` are
    the states of rows that each start from zeros.
    """
    starts = list(zeros)
    for _ in range(PASSES):
        ends = ends_of(starts)
        followed = [
            np.concatenate([zero[:1], end[:-1]]) for zero, end in zip(zeros, ends, strict=True)
        ]
        if all(map(_is_same, starts, followed)):
            return followed
        starts = followed
    return None


def _is_same(one: Array, other: Array) -> bool:
    tolerance = TOLERANCE * np.finfo(one.dtype).eps
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance))
