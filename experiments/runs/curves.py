"""Learning curves out of metrics.csv."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.runs.metrics import MetricsRow


class Curves(NamedTuple):
    """The curves of all seeds of a run on common updates."""

    updates: NDArray[np.int64]  # [points]
    time_steps: NDArray[np.int64]  # [points]
    seconds: NDArray[np.float64]  # [seeds, points], nan where a seed has no such row
    losses: NDArray[np.float64]  # [seeds, points], nan where a seed has no such row
    seeds: list[int]

    def against(self, axis: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """x, [points], and losses, [seeds, points], for the field that `axis` names.

        Each seed's losses are read between its own rows: no two seeds have rows at the same
        seconds, and one that stopped early has a last row of its own. Before a seed's first row
        and after its last, they are nan. Against seconds, x begins where every seed has begun and
        ends where the first one ends: which seed is slow says nothing about losses.
        """
        places = self.seconds if axis == "seconds" else _repeat(getattr(self, axis), self.losses)
        x = getattr(self, axis) if axis != "seconds" else _shared(self.seconds)
        losses = np.full((len(self.seeds), len(x)), np.nan)
        for seed, (place, row) in enumerate(zip(places, self.losses, strict=True)):
            there = ~np.isnan(row)
            losses[seed] = np.interp(x, place[there], row[there], left=np.nan, right=np.nan)
        return x, losses


def _repeat(x: NDArray[Any], losses: NDArray[np.float64]) -> NDArray[Any]:
    """The same x for each seed. Shape [seeds, points]."""
    return np.broadcast_to(x, losses.shape)


def _shared(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The seconds of all rows that lie within the training of every seed."""
    first = max((np.nanmin(each) for each in seconds), default=-np.inf)
    last = min((np.nanmax(each) for each in seconds), default=np.inf)
    x = np.unique(seconds[~np.isnan(seconds)])
    return x[(x >= first) & (x <= last)]


def curves(rows: Sequence[MetricsRow], split: str = "train") -> Curves:
    """Arrange the rows of one split by seed and updates."""
    kept = [row for row in rows if row.split == split]
    seeds, seed = np.unique(_integers([row.seed for row in kept]), return_inverse=True)
    updates, point = np.unique(_integers([row.updates for row in kept]), return_inverse=True)
    losses = np.full((len(seeds), len(updates)), np.nan)
    seconds = np.full_like(losses, np.nan)
    time_steps = np.zeros(len(updates), np.int64)
    losses[seed, point] = [row.loss for row in kept]
    seconds[seed, point] = [row.seconds for row in kept]
    time_steps[point] = [row.time_steps for row in kept]
    return Curves(updates, time_steps, seconds, losses, seeds.tolist())


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def step_seconds(rows: Sequence[MetricsRow]) -> dict[int, float]:
    """Each seed's seconds for a time step, between the two neighbouring rows where it is least.

    Whatever else the machine does only adds time: the least is the least disturbed.
    """
    found: dict[int, float] = {}
    trained = [row for row in rows if row.split == "train"]
    for before, after in itertools.pairwise(trained):
        if before.seed == after.seed:
            steps = after.time_steps - before.time_steps
            each = (after.seconds - before.seconds) / steps
            found[after.seed] = min(each, found.get(after.seed, each))
    return found
