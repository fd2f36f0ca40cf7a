"""How a claim is decided from finished runs: a study's YAML names one of these by `measure`.

Each takes the study's runs by name, the expected value and the arguments of the YAML, and
raises NotMeasured where the runs are too short for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from experiments.reporting.claims import Measured, NotMeasured
from experiments.runs.onset import Axis
from experiments.runs.run import Run
from experiments.statistics.intervals import (
    Interval,
    difference_interval,
    mean_interval,
    ratio_interval,
)
from experiments.studies import horizon, influence

Runs = Mapping[str, Run]


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


def least_validation_loss(runs: Runs, expected: float, run: str, tolerance: float) -> Measured:
    """The least validation loss of the epochs, mean over seeds, within a tolerance of a number."""
    mean, low, high = mean_interval(runs[run].least_validation_losses)
    holds = abs(mean - expected) <= tolerance
    seeds, epochs = len(runs[run].least_validation_losses), runs[run].config.training.epochs
    note = f"least validation loss of {epochs} epochs; limit {tolerance:g} from what is expected"
    return Measured(mean, low, high, seeds, holds, note)


def loss_of_updates(
    runs: Runs, expected: float, run: str, first: int, last: int, margin: float
) -> Measured:
    """The mean loss of updates first to last: the range over seeds, widened, holds a number."""
    rows = [row for row in runs[run].rows if first <= row.updates <= last]
    if not rows:
        raise NotMeasured(f"run {run}: no row of updates {first} to {last}")
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
        effect["lag"]: runs[run].count_learned(effect["lag"]) for effect in probes[0]["effects"]
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
    holds = high is not None and high < 0
    return Measured(mean, low, high, len(losses), holds, note)


def depth_needed(
    runs: Runs, _expected: str, names: Sequence[str], lag: int, depth: int
) -> Measured:
    """The least depth of these runs from which on the probe shows the lag learned in every seed.

    It must be `depth`, and a shorter one, `low`, must have been too short.
    """
    chosen = sorted((runs[name] for name in names), key=lambda run: run.effective_depth)
    counts = [
        (run.effective_depth, run.count_learned(lag), len(run.final_losses)) for run in chosen
    ]
    enough = list(itertools.takewhile(lambda row: row[1] == row[2], reversed(counts)))
    too_short = counts[: len(counts) - len(enough)]
    needed = enough[-1][0] if enough else None
    low = too_short[-1][0] if too_short else None
    tried = "; ".join(f"{reach}: {count} of {seeds}" for reach, count, seeds in counts)
    return Measured(
        f"depth {needed}" if enough else "none of these", low if enough else None, needed,
        counts[0][2], needed == depth and low is not None,
        f"seeds that learned, by depth: {tried}; at low some seed did not",
    )  # fmt: skip


def learns_sooner(runs: Runs, _expected: str, run: str, against: str, axis: Axis) -> Measured:
    """Every seed of `run` learns, and sooner: the whole interval of the ratio is below 1."""
    mean, low, high = _onset_ratio(runs[run], runs[against], axis)
    holds = _all_learn(runs[run]) and high is not None and high < 1
    note = _onset_note(runs[run], runs[against], axis)
    return Measured(mean, low, high, len(runs[run].onsets), holds, note)


def learns_as_soon(
    runs: Runs, _expected: str, run: str, against: str, axis: Axis, factor: float
) -> Measured:
    """Every seed of both learns; the whole interval of the ratio is within a factor of 1."""
    mean, low, high = _onset_ratio(runs[run], runs[against], axis)
    all_learn = _all_learn(runs[run]) and _all_learn(runs[against])
    within = low is not None and high is not None and 1 / factor <= low and high <= factor
    holds = all_learn and within
    note = _onset_note(runs[run], runs[against], axis)
    return Measured(mean, low, high, len(runs[run].onsets), holds, note)


def _onset_ratio(run: Run, against: Run, axis: Axis) -> Interval:
    """How much later `run` learns, seed by seed: geometric mean of the ratios.

    A seed that does not learn counts with all its training, which is too little.
    """
    shared = sorted(run.onsets.keys() & against.onsets.keys())
    ours, theirs = ([getattr(r.onsets[seed], axis) for seed in shared] for r in (run, against))
    return ratio_interval(ours, theirs)


def _onset_note(run: Run, against: Run, axis: Axis) -> str:
    medians = [np.median([getattr(o, axis) for o in r.onsets.values()]) for r in (run, against)]
    ours, theirs = (f"{m:,.0f}" if m >= 10 else f"{m:.2g}" for m in medians)
    late = [r.label for r in (run, against) if not _all_learn(r)]
    note = f"{axis.replace('_', ' ')} until learned, {run.label} / {against.label}, pairs of seeds"
    return f"{note}; medians {ours} and {theirs}" + "".join(
        f"; not all seeds of {label} learned" for label in late
    )


def _all_learn(run: Run) -> bool:
    return all(onset.learned for onset in run.onsets.values())


def time_ratio(
    runs: Runs, _expected: str, run: str, against: str, at_least: float, at_most: float
) -> Measured:
    """Seconds for a time step against another run's, the least of each."""
    ours, theirs = (list(runs[name].paces.values()) for name in (run, against))
    if not (ours and theirs):
        raise NotMeasured(f"runs {run} and {against}: too short to time")
    ratio = min(ours) / min(theirs)
    note = (
        f"seconds for a time step, {run} / {against}, the least of each on this machine; "
        f"medians over seeds {np.median(ours) / np.median(theirs):.2f}"
    )
    return Measured(ratio, None, None, len(ours), at_least <= ratio <= at_most, note)


MEASURES: dict[str, Callable[..., Measured]] = {
    measure.__name__: measure
    for measure in (
        floor, final_loss, least_validation_loss, loss_of_updates, learned, stays_above,
        does_not_settle, curves_agree, lowers_loss, depth_needed, learns_sooner,
        learns_as_soon, time_ratio,
        influence.long_run, influence.turns, influence.unbiased, influence.ends_at_optimum,
        influence.moves_away,
        horizon.none_beyond_reach, horizon.half_learn_within, horizon.same_horizon,
    )
}  # fmt: skip
