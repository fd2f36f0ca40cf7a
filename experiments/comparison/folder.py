"""The folder of a comparison: its name, its earlier content, and outdated figures."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

from experiments.runs.files import numbered_folder
from experiments.runs.run import Run

TABLE = "comparison.csv"
PICTURES = ("comparison*.png", "heat_map*.png", "target*.png")
LONGEST = 60  # characters of a folder name


def default_folder(paths: Sequence[Path], runs: Sequence[Run]) -> Path:
    """reports/compare-<names of the paths>, numbered if that folder compares other runs."""
    names = [re.sub(r"[^A-Za-z0-9_.,=+-]+", "-", _name(path)) for path in paths]
    name = "+".join(names)
    if len(name) > LONGEST:
        rest = f"+{len(names) - 1}-more" if len(names) > 1 else ""
        name = names[0][: LONGEST - len(rest)] + rest
    return numbered_folder(f"compare-{name}", lambda folder: not holds_other_runs(folder, runs))


def sweep_folder(sweep: str, points: Sequence[Path]) -> Path:
    """reports/sweep-SWEEP, numbered if that folder compares points that are not of this sweep."""
    own = {path.resolve() for path in points}

    def fits(folder: Path) -> bool:
        earlier = _compared_in(folder) if (folder / TABLE).exists() else set()
        return earlier is not None and earlier <= own

    return numbered_folder(f"sweep-{sweep}", fits)


def holds_other_runs(folder: Path, runs: Sequence[Run]) -> bool:
    """Whether the folder holds a comparison of other runs."""
    if not (folder / TABLE).exists():
        return False
    return _compared_in(folder) != {run.directory.path.resolve() for run in runs}


def remove_pictures(folder: Path) -> None:
    """Remove the figures of an earlier comparison, because this one may draw others."""
    if (folder / TABLE).exists():
        for pattern in PICTURES:
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)


def _name(path: Path) -> str:
    """The last part of a path; the last two if it ends with `default`."""
    parts = path.resolve().parts
    return "-".join(parts[-2:]) if parts[-1] == "default" else parts[-1]


def _compared_in(folder: Path) -> set[Path] | None:
    """The runs of an earlier comparison; None if its table does not name them."""
    try:
        with open(folder / TABLE, encoding="utf-8", newline="") as file:
            lists = [json.loads(row["run_directories"]) for row in csv.DictReader(file)]
        return {Path(path).resolve() for paths in lists for path in paths}
    except (OSError, ValueError, KeyError, TypeError):
        return None
