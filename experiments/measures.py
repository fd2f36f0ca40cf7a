"""How a claim is decided from finished runs: a study's YAML names one of these by `kind`.

Each takes the study's runs by name, the expected value and the arguments of the YAML.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from experiments.claims import Measured
from experiments.finished import FinishedRun
from experiments.statistics import difference_interval

Runs = Mapping[str, FinishedRun]


def floor(runs: Runs, expected: float, run: str, known: str, tolerance: float) -> Measured:
    """The entropy floor that the program computes, against a published number."""
    value = runs[run].floors[known]
    return Measured(value, None, None, 0, abs(value - expected) <= tolerance, "exact, no seeds")


def final_loss(runs: Runs, expected: float, run: str, tolerance: float) -> Measured:
    """The mean final loss over seeds, within a tolerance of a number."""
    mean, low, high = runs[run].final_loss
    holds = abs(mean - expected) <= tolerance
    return Measured(
        mean, low, high, len(runs[run].final_losses), holds, "mean final loss, 95 % interval"
    )


def loss_of_updates(
    runs: Runs, expected: float, run: str, first: int, last: int, margin: float
) -> Measured:
    """The mean loss of updates first to last: the range over seeds, widened, holds a number."""
    rows = [row for row in runs[run].rows if first <= row.updates <= last]
    losses = [row.loss for row in rows]
    low, high = min(losses), max(losses)
    holds = low - margin <= expected <= high + margin
    note = f"mean of updates {first} to {last}; range over seeds"
    return Measured(float(np.mean(losses)), low, high, len(losses), holds, note)


def learned(
    runs: Runs, _expected: str, run: str, lags: Sequence[int], others: Sequence[int]
) -> Measured:
    """By the probe, every seed learned `lags` and none learned `others`."""
    probes = runs[run].summary["probe"]
    counts = {
        effect["lag"]: sum(probe["effects"][column]["learned"] for probe in probes)
        for column, effect in enumerate(probes[0]["effects"])
    }
    holds = all(counts[lag] == len(probes) for lag in lags) and not any(
        counts[lag] for lag in others
    )
    text = "; ".join(f"lag {lag} by {count} of {len(probes)}" for lag, count in counts.items())
    return Measured(text, None, None, len(probes), holds, "seeds whose probe shows it learned")


def stays_above(runs: Runs, _expected: str, run: str, known: str, margin: float) -> Measured:
    """No row of any seed comes within `margin` of a floor."""
    finished = runs[run]
    lowest = np.nanmin(finished.curves.losses, axis=1)
    limit = finished.floors[known] + margin
    return Measured(
        float(lowest.mean()), float(lowest.min()), float(lowest.max()), len(lowest),
        bool(lowest.min() > limit), f"lowest row of each seed: mean and range; limit {limit:.4f}",
    )  # fmt: skip


def does_not_settle(runs: Runs, _expected: str, run: str, rise: float) -> Measured:
    """Within the second half of training the loss rises by `rise` again, in half the seeds."""
    losses = runs[run].curves.losses
    late = losses[:, losses.shape[1] // 2 :]
    rises = np.max(late - np.minimum.accumulate(late, axis=1), axis=1)
    count = int((rises >= rise).sum())
    note = f"largest rise in the second half: mean and range; {count} seeds rise by {rise}"
    return Measured(
        float(rises.mean()), float(rises.min()), float(rises.max()), len(rises),
        2 * count >= len(rises), note,
    )  # fmt: skip


def curves_agree(runs: Runs, _expected: str, names: Sequence[str], tolerance: float) -> Measured:
    """The curves of several runs are the same, row by row, for every seed."""
    all_losses = [runs[name].curves.losses for name in names]
    gap = max(float(np.abs(a - b).max()) for a, b in itertools.combinations(all_losses, 2))
    seeds, points = all_losses[0].shape
    note = f"largest difference of a row, {points} rows a seed"
    return Measured(gap, None, None, seeds, gap <= tolerance, note)


def lowers_loss(runs: Runs, _expected: str, run: str, against: str) -> Measured:
    """The final loss of `run` is below that of `against`: the whole interval of the difference."""
    losses, others = (list(runs[name].final_losses.values()) for name in (run, against))
    mean, low, high = difference_interval(losses, others)
    note = f"final loss, {run} minus {against}; 95 % interval (Welch)"
    return Measured(mean, low, high, len(losses), high < 0, note)


MEASURES: dict[str, Callable[..., Measured]] = {
    measure.__name__: measure
    for measure in (
        floor, final_loss, loss_of_updates, learned, stays_above, does_not_settle,
        curves_agree, lowers_loss,
    )
}  # fmt: skip
