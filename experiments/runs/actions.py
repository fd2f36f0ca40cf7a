"""Archive and remove the runs of a list, after asking."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.console import is_confirmed, plain
from experiments.runs.directory import RunDirectory
from experiments.runs.removal import archive, check_archive, hold, remove


def act(runs: Sequence[RunDirectory], file: Path | None, removing: bool, yes: bool) -> None:
    """Write the runs to an archive, if there is a `file`, then remove them if `removing`.

    Reports on standard error: standard output is for the list. Raises UsageError or InUseError
    before anything is done, if it cannot be done.
    """
    if not runs or not (file or removing):
        return
    if file:
        check_archive(file, runs)
    with hold(runs):
        if not is_confirmed(_question(len(runs), file, removing), yes):
            _report("nothing was done")
            return
        if file:
            archive(file, runs)
            _report(f"archived: {file}")
        for run in runs if removing else ():
            left = remove(run)
            names = ", ".join(sorted(path.name for path in left))
            kept = f"; kept its other files: {names}" if left else ""
            _report(f"removed: {run.path}{kept}")


def _question(count: int, file: Path | None, removing: bool) -> str:
    runs = "this run" if count == 1 else f"these {count} runs"
    if file is None:
        return f"Remove {runs}?"
    return f"Archive {runs} to {file}{', then remove' if removing else ''}?"


def _report(text: str) -> None:
    print(plain(text), file=sys.stderr)
