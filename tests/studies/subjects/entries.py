"""Criteria and figures by their names and arguments in YAML, on runs made by hand."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding
from experiments.runs.run import Run
from experiments.studies.entries import Criterion
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion, make_figure
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


def draw(kind: str, runs: dict[str, Run], **arguments: object) -> Figure:
    """A figure of these runs, its arguments as YAML has them."""
    return make_figure(kind, arguments).draw("title", StudyRuns(runs, {}))


def points(line: Line2D) -> NDArray[np.float64]:
    """The points that a line is drawn through, [points, 2]."""
    return np.asarray(line.get_xydata(), np.float64)
