"""The horizon: which share of the seeds learned a lag, by cell, lag and reach; claims about it.

Reach is what an error can go back, in cell applications: num_steps in the TF style, depth in
true truncation with context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from data.tasks.binary_dependency import BinaryDependencyConfig
from experiments.reporting.claims import Measured
from experiments.runs.run import Run

Runs = Mapping[str, Run]
HALF = 0.5  # of the seeds


class Place(NamedTuple):
    """Where a run stands in the grid."""

    cell: str
    lag: int
    effective_depth: int


class Learners(NamedTuple):
    """What the probes of a run's seeds say."""

    learned: int
    seeds: int

    @property
    def share(self) -> float:
        """The share of the seeds that learned the lag."""
        return self.learned / self.seeds


def learned_by_place(runs: Iterable[Run]) -> dict[Place, Learners]:
    """The seeds that learned the one dependency of each run."""
    found = {}
    for run in runs:
        place = Place(run.config.model.cell, lag_of(run), run.effective_depth)
        found[place] = Learners(run.count_learned(place.lag), len(run.summary["probe"]))
    return found


def lag_of(run: Run) -> int:
    """The lag of the run's one dependency."""
    task = run.config.task
    assert isinstance(task, BinaryDependencyConfig), f"{run.label}: a study of lags has other tasks"
    (dependency,) = task.dependencies
    return dependency.lag


def least_effective_depth(learned: Mapping[Place, Learners]) -> dict[tuple[str, int], int | None]:
    """For each cell and lag, the least reach at which half of the seeds learned; None: at none."""
    needed: dict[tuple[str, int], int | None] = {}
    for place in sorted(learned):
        key = place.cell, place.lag
        if needed.setdefault(key, None) is None and learned[place].share >= HALF:
            needed[key] = place.effective_depth
    return needed


def none_beyond_reach(runs: Runs, _expected: str, names: Sequence[str]) -> Measured:
    """Where no error can reach the lag, no seed learns it."""
    learned = learned_by_place(runs[name] for name in names)
    short = {place: found for place, found in learned.items() if place.effective_depth <= place.lag}
    count = sum(found.learned for found in short.values())
    seeds = sum(found.seeds for found in short.values())
    by_chance = [
        f"{place.cell} lag {place.lag} at {place.effective_depth}"
        for place in short
        if short[place].learned
    ]
    note = f"seeds of {len(short)} runs whose reach is at most the lag"
    if by_chance:
        note += f"; learned: {', '.join(by_chance)}"
    return Measured(f"{count} of {seeds}", None, None, seeds, count == 0 < seeds, note)


def half_learn_within(
    runs: Runs, _expected: str, names: Sequence[str], lags: Sequence[int], factor: float
) -> Measured:
    """For each of these lags half of the seeds learn at a reach of at most factor · (lag + 1)."""
    learned = learned_by_place(runs[name] for name in names)
    chosen = {place: found for place, found in learned.items() if place.lag in lags}
    needed = least_effective_depth(chosen)
    holds = {lag for _, lag in needed} == set(lags) and all(
        reach is not None and reach <= factor * (lag + 1) for (_, lag), reach in needed.items()
    )
    several = len({cell for cell, _ in needed}) > 1
    value = "; ".join(
        f"{cell if several else ''} {lag}: {reach or 'none'}".strip()
        for (cell, lag), reach in needed.items()
    )
    seeds = sum(found.seeds for found in chosen.values())
    note = "lag: the least reach of the grid at which half of the seeds learned it"
    return Measured(value, None, None, seeds, holds, note)


def same_horizon(runs: Runs, _expected: str, names: Sequence[str]) -> Measured:
    """For every cell and lag, half of the seeds learn from the same reach on in each style."""
    kinds = {runs[name].config.truncation.kind for name in names}
    needed = {
        kind: least_effective_depth(
            learned_by_place(
                runs[name] for name in names if runs[name].config.truncation.kind == kind
            )
        )
        for kind in sorted(kinds)
    }
    shared = set.intersection(*(set(found) for found in needed.values()))
    odd = [key for key in sorted(shared) if len({found[key] for found in needed.values()}) > 1]
    value = f"{len(shared) - len(odd)} of {len(shared)} alike"
    note = f"pairs of a cell and a lag; least reaches at which half learned, {', '.join(needed)}"
    for cell, lag in odd:
        reaches = " and ".join(str(found[cell, lag] or "none") for found in needed.values())
        note += f"; {cell} lag {lag}: {reaches}"
    seeds = sum(len(runs[name].summary["probe"]) for name in names)
    return Measured(value, None, None, seeds, not odd, note)
