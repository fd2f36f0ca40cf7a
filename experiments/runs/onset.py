"""When each seed learned: the first row with a loss below the middle of the floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from experiments.runs.metrics import MetricsRow
from experiments.statistics.floors import halfway

Axis = Literal["updates", "time_steps", "seconds"]
AXES: tuple[Axis, ...] = get_args(Axis)


class Onset(NamedTuple):
    """Where one seed learned, or how far it came without."""

    updates: int
    time_steps: int
    seconds: float
    learned: bool  # False: these are its last row's


def onsets(rows: Sequence[MetricsRow], floors: Mapping[str, float]) -> dict[int, Onset]:
    """Each seed's onset, halfway between the loss of knowing nothing and of knowing all."""
    return first_below(rows, halfway(floors))


def first_below(rows: Sequence[MetricsRow], loss: float, split: str = "train") -> dict[int, Onset]:
    """Each seed's first row of the split with a lower loss; its last row where there is none."""
    found: dict[int, Onset] = {}
    for row in rows:
        if row.split == split and not (row.seed in found and found[row.seed].learned):
            found[row.seed] = Onset(row.updates, row.time_steps, row.seconds, row.loss < loss)
    return found
