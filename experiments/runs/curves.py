"""Learning curves out of metrics.csv."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.runs.metrics import MetricsRow

LAST = 0.9  # the final loss is the mean over the last tenth of training


class Curves(NamedTuple):
    """The curves of all seeds of a run on common updates."""

    updates: NDArray[np.int64]  # [points]
    time_steps: NDArray[np.int64]  # [points]
    seconds: NDArray[np.float64]  # [seeds, points], nan where a seed has no such row
    losses: NDArray[np.float64]  # [seeds, points], nan where a seed has no such row
    seeds: list[int]

    def against(self, axis: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """x, [points], and losses, [seeds, points], for the field that `axis` names.

        No two seeds have rows at the same seconds. Each one's losses are therefore read,
        between its own rows, at the seconds of the rows of all; nan before its first row.
        The curves end where the first seed ends: a mean over the slow ones alone would jump.
        """
        if axis != "seconds":
            return getattr(self, axis), self.losses
        x = np.unique(self.seconds[~np.isnan(self.seconds)])
        x = x[x <= min((np.nanmax(seconds) for seconds in self.seconds), default=np.inf)]
        losses = np.full((len(self.seeds), len(x)), np.nan)
        for seed, (seconds, row) in enumerate(zip(self.seconds, self.losses, strict=True)):
            there = ~np.isnan(seconds)
            losses[seed] = np.interp(x, seconds[there], row[there], left=np.nan)
        return x, losses


def curves(rows: Sequence[MetricsRow], split: str = "train") -> Curves:
    """Arrange the rows of one split by seed and updates."""
    kept = [row for row in rows if row.split == split]
    seeds = sorted({row.seed for row in kept})
    updates = sorted({row.updates for row in kept})
    place = {update: index for index, update in enumerate(updates)}
    losses = np.full((len(seeds), len(updates)), np.nan)
    seconds = np.full_like(losses, np.nan)
    time_steps = np.zeros(len(updates), np.int64)
    for row in kept:
        point = seeds.index(row.seed), place[row.updates]
        losses[point] = row.loss
        seconds[point] = row.seconds
        time_steps[point[1]] = row.time_steps
    return Curves(np.array(updates, np.int64), time_steps, seconds, losses, seeds)


def final_losses(rows: Sequence[MetricsRow], total_updates: int) -> dict[int, float]:
    """Each seed's mean loss over the last tenth of training, the last row at least."""
    newest: dict[int, float] = {}
    late: dict[int, list[float]] = {}
    for row in rows:
        if row.split == "train":
            newest[row.seed] = row.loss
            if row.updates > LAST * total_updates:
                late.setdefault(row.seed, []).append(row.loss)
    return {seed: float(np.mean(late.get(seed, [loss]))) for seed, loss in newest.items()}


def paces(rows: Sequence[MetricsRow]) -> dict[int, float]:
    """Each seed's seconds for a time step, between the two neighbouring rows where it is least.

    Whatever else the machine does only adds time: the least is the least disturbed.
    """
    found: dict[int, float] = {}
    trained = [row for row in rows if row.split == "train"]
    for before, after in itertools.pairwise(trained):
        if before.seed == after.seed:
            steps = after.time_steps - before.time_steps
            pace = (after.seconds - before.seconds) / steps
            found[after.seed] = min(pace, found.get(after.seed, pace))
    return found
