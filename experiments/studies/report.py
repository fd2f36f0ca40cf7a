"""The report of a study, and its claims on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.console import plain, print_table
from experiments.reporting.claims import Claim
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
from experiments.studies.figures import FIGURES
from experiments.studies.grid import runs_needed, with_runs
from experiments.sweeps.points import Point

if TYPE_CHECKING:
    from experiments.studies.study import StudyConfig


def write_study_report(
    study: StudyConfig,
    points: Sequence[Point],
    runs: Mapping[str, Run],
    claims: Sequence[Claim],
    folder: Path,
) -> Path:
    """Figures as PNG and report.html. Figures that need an absent run are left out."""
    figures = []
    for spec in study.figures:
        arguments = with_runs(spec.arguments, runs)
        if not set(runs_needed(arguments)) <= set(runs):
            continue
        path = folder / f"{spec.id}.png"
        save_figure(FIGURES[spec.kind](runs, spec.title, **arguments), path)
        figures.append(ReportFigure.from_file(path, spec.title, spec.caption))
    report = Report(
        study.title,
        study.introduction.strip().split("\n\n"),
        figures,
        claims,
        [runs_table(runs, {point.name: " ".join(point.overrides) for point in points})],
        {name: run.directory.config.read_text("utf-8") for name, run in runs.items()},
        describe_environment(environment()),
    )
    path = folder / "report.html"
    write_report(path, report)
    return path


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
