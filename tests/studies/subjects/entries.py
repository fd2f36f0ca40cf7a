"""Criteria by their names and arguments in YAML, on runs made by hand."""

from __future__ import annotations

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding
from experiments.runs.run import Run
from experiments.studies.entries import Criterion
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns


def make(kind: str, **arguments: object) -> Criterion:
    """A criterion, its arguments as YAML has them."""
    return make_criterion(kind, arguments)


def check_on_lag_17(kind: str, **arguments: object) -> None:
    """Check a criterion on run a, of lag_17, as before a training."""
    make(kind, run="a", **arguments).check({"a": PlannedRun("a", load_config("lag_17"))})


def decide(kind: str, *runs: Run, **arguments: object) -> Finding:
    """The finding of these runs."""
    return make(kind, **arguments).decide(StudyRuns({run.label: run for run in runs}))
