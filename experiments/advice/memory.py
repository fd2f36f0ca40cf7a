"""How many of its last inputs a trained model uses, seen in its losses.

A window is read twice: from the state that its row has there, and from the state of another row.
After j + 1 inputs the second reading has seen only those, and the excess of its loss is the harm,
in nats, of being wrong about all inputs before them. It falls to zero at the longest dependency
that was learned. Unlike an error signal it does not depend on how a cell keeps its state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.statistics import estimates
from experiments.statistics.intervals import Interval

UNUSED = 0.1  # of the harm: earlier inputs, whose harm is less, do not count


class Memory(NamedTuple):
    """The use that a model makes of inputs before the present one."""

    harm: Interval  # nats, of being wrong about every earlier input, mean over windows
    inputs: int | None  # the last inputs that leave at most UNUSED of it; None: beyond the window
    excess: NDArray[np.float64]  # [num_steps], smoothed, after 1, 2, … inputs

    @property
    def is_used(self) -> bool:
        """Whether earlier inputs matter, with 95 % confidence."""
        return self.harm.low is not None and self.harm.low > 0


def memory_of(excess: NDArray[np.float64]) -> Memory:
    """The memory of a model from the excess losses of its windows, [windows, num_steps].

    More inputs never do harm, so the mean over windows is smoothed to a curve that does not
    rise (isotonic regression).
    """
    from scipy.optimize import isotonic_regression

    curve = np.asarray(isotonic_regression(excess.mean(0), increasing=False).x)
    harm = estimates.interval(estimates.mean(excess[:, 0].tolist()))
    enough = np.flatnonzero(curve <= UNUSED * max(curve[0], 0.0))
    return Memory(harm, int(enough[0]) + 1 if len(enough) else None, curve)
