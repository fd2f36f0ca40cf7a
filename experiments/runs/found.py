"""The run directories below some paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.errors import UsageError
from experiments.runs.replacing import FOLDER
from experiments.runs.run import Run, read_run


class FoundRuns(NamedTuple):
    """The runs that can be read, and why others cannot."""

    runs: list[Run]
    unreadable: list[str]  # a reason each, which names the file


def find_runs(paths: Sequence[Path]) -> list[Run]:
    """Every run at or below the paths, each once, however far it came.

    Raises UsageError for a path without any, and for a run that cannot be read.
    """
    return [read_run(path) for path in _unique(paths, follow_links=True)]


def find_readable_runs(paths: Sequence[Path]) -> FoundRuns:
    """Every run at or below the paths whose files can be read.

    Raises UsageError for a path without any run, and where no run can be read.
    """
    found = FoundRuns([], [])
    for path in _unique(paths, follow_links=True):
        try:
            run = read_run(path)
            _ = run.rows
            found.runs.append(run)
        except UsageError as error:
            found.unreadable.append(str(error))
    if not found.runs:
        raise UsageError(found.unreadable[0])
    return found


def run_paths(paths: Sequence[Path]) -> list[Path]:
    """Every run directory at or below the paths, each once. Links below them are not followed.

    Raises UsageError for a path without any.
    """
    return _unique(paths, follow_links=False)


def _unique(paths: Sequence[Path], follow_links: bool) -> list[Path]:
    """The run directories, each once though several paths or links lead to it."""
    unique: dict[Path, Path] = {}
    for path in (path for given in paths for path in _directories(given, follow_links)):
        unique.setdefault(path.resolve(), path)
    return list(unique.values())


def _directories(path: Path, follow_links: bool) -> list[Path]:
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory")
    found = list(_walk(path, follow_links))
    if not found:
        raise UsageError(f"{path}: no run directory here or below: config.yaml expected, not found")
    return found


def _walk(path: Path, follow_links: bool) -> Iterator[Path]:
    seen = set()  # a link may lead back to a folder above it
    for folder, below, files in os.walk(path, followlinks=follow_links):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith(FOLDER))
        if "config.yaml" in files:
            below.clear()  # a run's own folders hold no runs
            yield Path(folder)
