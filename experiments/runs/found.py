"""The run directories below some paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.errors import UsageError
from experiments.runs.run import Run, read_run


def find_runs(paths: Sequence[Path]) -> list[Run]:
    """Every run at or below the paths, each once, however far it came.

    Raises UsageError for a path without any, and for a run that cannot be read.
    """
    return [read_run(path) for path in run_paths(paths)]


def run_paths(paths: Sequence[Path]) -> list[Path]:
    """Every run directory at or below the paths, each once. Links below them are not followed.

    Raises UsageError for a path without any.
    """
    unique: dict[Path, Path] = {}
    for path in (path for given in paths for path in _directories(given)):
        unique.setdefault(path.resolve(), path)
    return list(unique.values())


def _directories(path: Path) -> list[Path]:
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory")
    found = list(_walk(path))
    if not found:
        raise UsageError(f"{path}: no run directory here or below: config.yaml expected, not found")
    return found


def _walk(path: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(path):
        below.sort()
        if "config.yaml" in files:
            below.clear()  # a run's own folders hold no runs
            yield Path(folder)
