"""Learning curves out of metrics.csv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import Row

LAST = 0.9  # the final loss is the mean over the last tenth of training


class Curves(NamedTuple):
    """The curves of all seeds of a run on common updates."""

    updates: NDArray[np.int64]  # [points]
    time_steps: NDArray[np.int64]  # [points]
    seconds: NDArray[np.float64]  # [points], mean over the seeds
    losses: NDArray[np.float64]  # [seeds, points], nan where a seed has no such row
    seeds: list[int]


def curves(rows: Sequence[Row], split: str = "train") -> Curves:
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
    mean_seconds = np.nanmean(seconds, axis=0) if seeds else np.zeros(0)
    return Curves(np.array(updates, np.int64), time_steps, mean_seconds, losses, seeds)


def final_losses(rows: Sequence[Row], total_updates: int) -> dict[int, float]:
    """Each seed's mean loss over the last tenth of training, the last row at least."""
    newest: dict[int, float] = {}
    late: dict[int, list[float]] = {}
    for row in rows:
        if row.split == "train":
            newest[row.seed] = row.loss
            if row.updates > LAST * total_updates:
                late.setdefault(row.seed, []).append(row.loss)
    return {seed: float(np.mean(late.get(seed, [loss]))) for seed, loss in newest.items()}
