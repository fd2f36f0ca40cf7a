"""The folder of a comparison: its name, what it held before, and pictures that are out of date."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

from experiments.paths import REPORTS
from experiments.runs.run import Run

TABLE = "comparison.csv"
PICTURES = ("comparison*.png", "heat_map*.png", "target*.png")
LONGEST = 60  # characters of a name made of paths


def default_folder(paths: Sequence[Path], runs: Sequence[Run]) -> Path:
    """reports/compare-<names of the paths>, numbered where that compares other runs."""
    names = [re.sub(r"[^A-Za-z0-9_.,=+-]+", "-", _name(path)) for path in paths]
    name = "+".join(names)
    if len(name) > LONGEST:
        rest = f"+{len(names) - 1}-more" if len(names) > 1 else ""
        name = names[0][: LONGEST - len(rest)] + rest
    for number in itertools.count(1):
        folder = REPORTS / (f"compare-{name}" if number == 1 else f"compare-{name}-{number}")
        if not holds_other_runs(folder, runs):
            return folder
    raise AssertionError("itertools.count has no end")


def holds_other_runs(folder: Path, runs: Sequence[Run]) -> bool:
    """Whether a comparison of other runs is in the folder."""
    if not (folder / TABLE).exists():
        return False
    return _compared_in(folder) != {run.directory.path.resolve() for run in runs}


def remove_pictures(folder: Path) -> None:
    """Remove the pictures of an earlier comparison; this one may draw others."""
    if (folder / TABLE).exists():
        for pattern in PICTURES:
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)


def _name(path: Path) -> str:
    """The last part of a path, and the one before of a run of `default` settings."""
    parts = path.resolve().parts
    return "-".join(parts[-2:]) if parts[-1] == "default" else parts[-1]


def _compared_in(folder: Path) -> set[Path] | None:
    """The runs of an earlier comparison; None where its table does not say."""
    try:
        with open(folder / TABLE, encoding="utf-8", newline="") as file:
            lists = [json.loads(row["run_directories"]) for row in csv.DictReader(file)]
        return {Path(path).resolve() for paths in lists for path in paths}
    except (OSError, ValueError, KeyError, TypeError):
        return None
