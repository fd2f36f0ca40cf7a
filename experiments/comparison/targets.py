"""`--target`: how much training each group needs to reach a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.comparison.groups import Group
from experiments.errors import UsageError
from experiments.runs.onset import AXES, Axis, first_below
from experiments.statistics import estimates
from experiments.statistics.floors import middle
from experiments.statistics.intervals import Interval

HALFWAY = "halfway"


class Target(NamedTuple):
    """A loss to reach, in the rows of a split."""

    loss: float | None  # None: halfway between each group's floors
    split: str

    @property
    def name(self) -> str:
        """The target as given on the command line."""
        return HALFWAY if self.loss is None else f"{self.loss:g}"


class Reached(NamedTuple):
    """The training a group needed, over the seeds that reached the target."""

    seeds: int  # that reached it
    total: int  # seeds with rows
    means: Mapping[Axis, Interval]  # empty if no seed reached it


def parse_target(text: str, split: str) -> Target:
    """Parse a loss, or "halfway". Raises UsageError for anything else."""
    if text == HALFWAY:
        return Target(None, split)
    try:
        loss = float(text)
    except ValueError:
        loss = math.nan
    if not math.isfinite(loss):
        raise UsageError(f"--target: expected a loss or {HALFWAY}; got {text}")
    return Target(loss, split)


def reach(group: Group, target: Target) -> Reached:
    """The group's updates, time steps and seconds until the first row below the target.

    Raises UsageError if the target is halfway between floors and the group has fewer than two.
    """
    loss = target.loss
    if loss is None:
        loss = middle(group.floors)
        if loss is None:
            raise UsageError(
                f"--target {HALFWAY}: {group.label} has fewer than two floors; give a loss"
            )
    rows = group.validation_rows if target.split == "valid" else group.rows
    first = first_below([row for each in rows.values() for row in each], loss, target.split)
    there = [onset for onset in first.values() if onset.learned]
    means = {
        axis: _mean([float(getattr(onset, axis)) for onset in there]) for axis in AXES if there
    }
    return Reached(len(there), len(first), means)


def _mean(values: Sequence[float]) -> Interval:
    return estimates.interval(estimates.mean(values), lowest=0)
