"""The runs below some paths, with what `run.py runs` shows of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.flat import flatten
from experiments.console import print_json, print_table
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.runs.found import run_paths
from experiments.runs.query import parse_query
from experiments.runs.run import Run, read_run

COLUMNS = ("run", "status", "loss", "seconds a seed", "size")


@dataclass(frozen=True)
class ListedRun:
    """One line of the list. A run that cannot be read has the status "unreadable"."""

    directory: RunDirectory
    status: str
    loss: float | None  # final, nats per time step, mean over seeds; of an unfinished run, so far
    seconds_a_seed: float | None  # of training, mean over the complete seeds
    size: int  # bytes on the disk
    config: dict[str, Any]  # flat

    @property
    def values(self) -> dict[str, Any]:
        """The keys that a condition may name."""
        found = {"status": self.status, "loss": self.loss, "seconds_a_seed": self.seconds_a_seed}
        return self.config | found

    @property
    def cells(self) -> list[str]:
        """The line of a table."""
        loss = "" if self.loss is None else f"{self.loss:.4f}"
        seconds = "" if self.seconds_a_seed is None else f"{self.seconds_a_seed:.1f}"
        return [str(self.directory.path), self.status, loss, seconds, shown_size(self.size)]

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON values."""
        return {
            "run": str(self.directory.path), "status": self.status, "loss": self.loss,
            "seconds_a_seed": self.seconds_a_seed, "bytes": self.size,
        }  # fmt: skip


def list_runs(paths: Sequence[Path], where: str | None = None) -> list[ListedRun]:
    """The runs at or below the paths that meet the condition.

    Raises UsageError for a path without a run, and for a condition that cannot be read.
    """
    query = parse_query(where) if where is not None else None
    runs = [_listed(path) for path in run_paths(paths)]
    if query is None:
        return runs
    query.check_keys(key for run in runs for key in run.values)
    return [run for run in runs if query.holds(run.values)]


def shown_size(size: float) -> str:
    """Bytes with a unit: "1.5 MB"."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _listed(path: Path) -> ListedRun:
    directory, size = RunDirectory(path), sum(_file_sizes(path))
    try:
        run = read_run(path)
        config = flatten(run.config.as_dict())
        return ListedRun(directory, run.status, _loss(run), run.seconds_a_seed, size, config)
    except UsageError:
        return ListedRun(directory, "unreadable", None, None, size, {})


def _loss(run: Run) -> float | None:
    """The mean final loss in summary.json, or that of the rows so far."""
    mean: float | None = run.summary.get("final_loss", {}).get("mean")
    return run.final_loss.mean if mean is None and run.final_losses else mean


def _file_sizes(path: Path) -> Iterator[int]:
    """The size of every file in a folder; links count as themselves."""
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                yield (Path(folder) / name).lstat().st_size
            except FileNotFoundError:  # a run that trains replaces its files
                continue


def print_runs(runs: Sequence[ListedRun], as_json: bool) -> None:
    """The list as a table with a line for the total, or as JSON."""
    if as_json:
        print_json([run.as_dict() for run in runs])
        return
    if runs:
        print_table(COLUMNS, [run.cells for run in runs])
    total = shown_size(sum(run.size for run in runs))
    print(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}, {total}")
