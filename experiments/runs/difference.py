"""Two runs side by side: where configs, environments and rows differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from experiments.config.flat import flatten
from experiments.runs.data_identity import hashes, read_identity
from experiments.runs.metrics import MetricsRow
from experiments.runs.run import Run

# Keys of summary.json. Earlier versions kept xla alone of the execution.
ENVIRONMENT = ("versions", "git_commit", "code", "host", "execution", "xla")

Pair = tuple[Any, Any]  # the values of the first and the second run; None where one has none


class FirstDifference(NamedTuple):
    """The first row of a seed that differs."""

    updates: int
    split: str
    column: str  # of metrics.csv; "row" where one run has no such row
    values: Pair


@dataclass(frozen=True)
class Difference:
    """All that differs between two runs."""

    config: dict[str, Pair]
    environment: dict[str, Pair]
    rows: dict[int, FirstDifference | None]  # of each seed that both have; None: no row differs
    seeds: tuple[list[int], list[int]]  # that only the first, and only the second run has
    final_losses: dict[int, Pair]  # of every seed


def difference(first: Run, second: Run) -> Difference:
    """Compare two runs, however far each one came. Seconds are not compared."""
    ours, theirs = _rows_by_seed(first), _rows_by_seed(second)
    losses = first.final_losses, second.final_losses
    return Difference(
        _unequal(flatten(first.config.as_dict()), flatten(second.config.as_dict())),
        _unequal(_environment(first), _environment(second)),
        {seed: _first_difference(ours[seed], theirs[seed]) for seed in ours if seed in theirs},
        (sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())),
        {seed: (losses[0].get(seed), losses[1].get(seed)) for seed in sorted({*ours, *theirs})},
    )


def _unequal(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Pair]:
    keys = dict.fromkeys([*first, *second])
    pairs = {key: (first.get(key), second.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _environment(run: Run) -> dict[str, Any]:
    """On what a run was trained; its data by their hashes, which one path may not tell apart."""
    known = read_identity(run.directory)
    data = None if known is None else hashes(known.sources)
    return flatten({**{key: run.summary.get(key) for key in ENVIRONMENT}, "data": data})


def _rows_by_seed(run: Run) -> dict[int, list[MetricsRow]]:
    found: dict[int, list[MetricsRow]] = {}
    for row in run.rows:
        found.setdefault(row.seed, []).append(row)
    return dict(sorted(found.items()))


def _first_difference(
    first: list[MetricsRow], second: list[MetricsRow]
) -> FirstDifference | None:  # fmt: skip
    for ours, theirs in zip_longest(first, second):
        if ours is None or theirs is None:
            row = ours or theirs
            there = ours is not None, theirs is not None
            return FirstDifference(row.updates, row.split, "row", there)
        for column, pair in _values(ours, theirs).items():
            if not _same(*pair):
                return FirstDifference(
                    min(ours.updates, theirs.updates), ours.split, column, pair
                )  # fmt: skip
    return None


def _values(ours: MetricsRow, theirs: MetricsRow) -> dict[str, Pair]:
    """The columns that are measured or counted, and the metrics that both rows have."""
    columns = ("epoch", "updates", "time_steps", "split", "loss")
    pairs = {name: (getattr(ours, name), getattr(theirs, name)) for name in columns}
    common = [name for name in ours.metrics if name in theirs.metrics]
    return pairs | {name: (ours.metrics[name], theirs.metrics[name]) for name in common}


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return bool(ours == theirs)
