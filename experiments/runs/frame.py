"""Runs as one pandas DataFrame: a row for each row of their metrics.csv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config.flat import flatten, shown_value
from experiments.runs.found import find_runs
from experiments.runs.metrics import MetricsRow
from experiments.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def load_runs(path: str | Path, *more: str | Path) -> pd.DataFrame:
    """Every run at or below the paths, with a row for each logged row.

    The columns are `run_directory`, `status`, those of metrics.csv that some run has, and every
    key of the configs in dotted form, such as `graph.num_steps`. A list of numbers or names is
    text, as in YAML: "[64, 32]". A key that a run's config lacks is missing there (NaN or None).

    Raises UsageError for a path without a run, and for a run that cannot be read.
    """
    import pandas as pd  # takes half a second, which only callers should pay

    runs = find_runs([Path(each) for each in (path, *more)])
    settings = pd.DataFrame([_settings(run) for run in runs])
    metrics = pd.DataFrame(
        [_record(row) | {"run": number} for number, run in enumerate(runs) for row in run.rows]
    )
    if metrics.empty:
        return settings.iloc[:0]
    rows = settings.loc[metrics.pop("run")].reset_index(drop=True)
    metrics = metrics.dropna(axis="columns", how="all")
    head = ["run_directory", "status"]
    return pd.concat([rows[head], metrics, rows.drop(columns=head)], axis="columns")


def _settings(run: Run) -> dict[str, Any]:
    """The columns that all rows of a run share."""
    config = flatten(run.config.as_dict())
    return {"run_directory": str(run.directory.path), "status": run.status} | {
        key: shown_value(value) if isinstance(value, list) else value
        for key, value in config.items()
    }


def _record(row: MetricsRow) -> dict[str, Any]:
    """The columns of metrics.csv, each metric one of its own."""
    record: dict[str, Any] = row._asdict()
    metrics: Mapping[str, Any] = record.pop("metrics", {})
    return {**record, **metrics}
