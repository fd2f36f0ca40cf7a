"""Runs by hand with chosen losses, and their comparison."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from experiments.comparison.groups import Group, group_runs
from experiments.comparison.ranking import choose_ranking
from experiments.comparison.table import Comparison, compare_groups
from experiments.comparison.targets import parse_target
from experiments.runs.found import find_runs
from experiments.runs.metrics import MetricsFile
from tests.handmade import finished_run

WIDE, NARROW = "graph.num_steps=54", "graph.num_steps=18"


def groups_in(folder: Path) -> list[Group]:
    return group_runs(find_runs([folder]))


def ranked(folder: Path, by: str | None = None, target: str | None = None) -> Comparison:
    groups = groups_in(folder)
    ranking = choose_ranking(groups, by)
    split = "valid" if ranking.by == "valid" else "train"
    return compare_groups(groups, ranking, parse_target(target, split) if target else None)


def add(
    folder: Path,
    name: str,
    finals: Sequence[float],
    *overrides: str,
    valid: Sequence[Sequence[float]] = (),
    fresh: Sequence[float] = (),
    learned: Sequence[bool] = (),
) -> None:
    """A run with three rows a seed: 0.6, 0.55 and the final one."""
    losses = [[0.6, 0.55, final] for final in finals]
    seeds = f"training.seeds={len(finals)}", "training.first_seed=0"
    finished_run(folder, name, losses, learned, [*overrides, *seeds], valid=valid, fresh=fresh)


def measure(path: Path, **accuracy: float) -> None:
    """Rewrite the run's metrics.csv with an accuracy for each split, on every row."""
    (run,) = find_runs([path])
    splits = run.rows_by_seed, run.validation_rows
    rows = itertools.chain.from_iterable(each for split in splits for each in split.values())
    metrics = MetricsFile(run.directory.metrics)
    metrics.start()
    metrics.append([row._replace(metrics={"accuracy": accuracy[row.split]}) for row in rows])
