"""The final loss of a seed: the mean over the last tenth of its updates, whatever was logged.

Training keeps the sum of the losses, and what it was when the last tenth began, in each
checkpoint. Run directories without these numbers have rows alone: their final loss is the mean
over the rows that reach into the last tenth, weighted by updates.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from experiments.runs.checkpoints import Position
from experiments.runs.metrics import MetricsRow


class FinalLoss(NamedTuple):
    """A mean loss, nats per time step, and the updates that it is a mean of."""

    loss: float
    updates: int  # the last ones
    trained: int  # all updates of the seed

    @property
    def is_last_tenth(self) -> bool:
        """Whether it is a mean over exactly the last tenth; rows may reach further back."""
        return self.updates == self.trained - before_last_tenth(self.trained)


def before_last_tenth(updates: int) -> int:
    """How many of these updates come before the last tenth, which holds at least one."""
    return 9 * updates // 10


class LossSums:
    """Adds up a seed's losses in its position, for each number of updates at which it may end.

    A seed that `training.patience` stops ends after an epoch that is not known before. All
    possible ends are therefore prepared for.
    """

    def __init__(self, ends: Iterable[int]) -> None:
        self._starts = sorted({before_last_tenth(end) for end in ends})

    def add(self, position: Position, losses: Sequence[float]) -> None:
        """Count losses that follow the position. The order of additions depends on no chunk."""
        first = position.updates
        sums = list(itertools.accumulate(losses, initial=position.loss_sum))
        for start in self._starts[bisect.bisect_left(self._starts, first) :]:
            if start >= first + len(sums):
                break
            position.sums_before[str(start)] = sums[start - first]
        position.loss_sum = sums[-1]
        oldest = before_last_tenth(first + len(losses))
        for key in [key for key in position.sums_before if int(key) < oldest]:
            del position.sums_before[key]


def of_position(position: Position) -> FinalLoss | None:
    """The final loss at a position; None where no last tenth was prepared to end there."""
    trained = position.updates
    start = before_last_tenth(trained)
    before = position.sums_before.get(str(start))
    if before is None or not trained:
        return None
    return FinalLoss((position.loss_sum - before) / (trained - start), trained - start, trained)


def of_rows(rows: Sequence[MetricsRow]) -> dict[int, FinalLoss]:
    """Each seed's mean over the training rows that reach into its last tenth of updates."""
    by_seed: dict[int, list[MetricsRow]] = {}
    for row in rows:
        if row.split == "train":
            by_seed.setdefault(row.seed, []).append(row)
    return {seed: of_seed(found) for seed, found in by_seed.items()}


def of_seed(rows: Sequence[MetricsRow]) -> FinalLoss:
    """The mean over the rows of one seed that reach into its last tenth of updates."""
    ends = [0, *(row.updates for row in rows)]
    first = bisect.bisect_right(ends, before_last_tenth(ends[-1]))
    sizes = [end - before for before, end in itertools.pairwise(ends[first - 1 :])]
    losses = [row.loss for row in rows[first - 1 :]]
    updates = sum(sizes)
    mean = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / updates
    return FinalLoss(mean, updates, ends[-1])
