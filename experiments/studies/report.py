"""The report of a study, and its claims on the terminal."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.console import plain, print_table
from experiments.reporting.claims import Claim, NotRun
from experiments.reporting.environment import describe_environment, environment
from experiments.reporting.plots import save_figure
from experiments.reporting.report import (
    Report,
    ReportFigure,
    Table,
    shown,
    write_report,
)
from experiments.runs.run import Run
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import FigureSpec, StudyConfig
from experiments.sweeps.points import Point


def write_study_report(
    study: StudyConfig,
    points: Sequence[Point],
    runs: StudyRuns,
    claims: Sequence[Claim],
    folder: Path,
    debug: bool = False,
) -> Path:
    """Figures as PNG and report.html. A figure that cannot be drawn is left out."""
    figures = [draw(spec, runs, folder, debug) for spec in study.figures]
    there = runs.there
    report = Report(
        study.title,
        study.introduction.strip().split("\n\n"),
        [figure for figure in figures if figure],
        claims,
        [runs_table(there, {point.name: " ".join(point.overrides) for point in points})],
        {name: run.directory.config.read_text("utf-8") for name, run in there.items()},
        describe_environment(environment()),
    )
    path = folder / "report.html"
    write_report(path, report)
    return path


def draw(
    spec: FigureSpec, runs: StudyRuns, folder: Path, debug: bool = False
) -> ReportFigure | None:
    """One figure, as a PNG in the folder; None, and a line that says why, where it cannot be."""
    path = folder / f"{spec.id}.png"
    try:
        save_figure(spec.kind.draw(spec.title, runs), path)
    except NotRun as error:
        reason = str(error)
    except Exception as error:  # one figure must not take the report with it
        if debug:
            traceback.print_exception(error)
        reason = f"{type(error).__name__}: {error} (--debug shows where)"
    else:
        return ReportFigure.from_file(path, spec.title, spec.caption)
    path.unlink(missing_ok=True)  # of an earlier report
    print(f"figure {spec.id}: left out: {reason}", file=sys.stderr)
    return None


def runs_table(runs: Mapping[str, Run], overrides: Mapping[str, str]) -> Table:
    """Every run with its final loss."""
    rows: list[list[float | str]] = []
    for name, run in runs.items():
        mean, low, high = run.final_loss
        spread = f"{low:.4f} to {high:.4f}" if low is not None else ""
        command = f"{run.config.name} {overrides[name]}".strip()
        rows.append([name, command, len(run.final_losses), mean, spread, f"{run.seconds:.1f}"])
    columns = ["run", "experiment and overrides", "seeds", "final loss", "95 % interval", "seconds"]
    caption = (
        "Final loss: nats per time step, mean over the last tenth of training and over seeds. "
        "Seconds: of training, all seeds."
    )
    return Table("Runs", caption, columns, rows)


def print_claims(claims: Sequence[Claim]) -> None:
    """The claims as a table on the terminal, and why some could not be decided."""
    table = []
    for claim in claims:
        spread = "" if claim.low is None else f"{shown(claim.low)} to {shown(claim.high)}"
        expected, measured = (
            shown(value, claim.is_exact) for value in (claim.expected, claim.measured)
        )
        table.append([claim.verdict, claim.id, expected, measured, spread, str(claim.seeds or "")])
    print_table(["verdict", "claim", "expected", "measured", "low to high", "seeds"], table)
    for claim in claims:
        if claim.verdict == "not_run":
            print(plain(f"{claim.id} not run: {claim.note}"))
