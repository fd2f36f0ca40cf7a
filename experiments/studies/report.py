"""The report of a study, and its claims on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.reporting.claims import Claim
from experiments.reporting.plots import save_figure
from experiments.reporting.report import (
    Report,
    ReportFigure,
    Table,
    describe_environment,
    shown,
    write_report,
)
from experiments.runs.run import Run
from experiments.studies.figures import FIGURES
from experiments.studies.grid import runs_needed, with_runs
from experiments.sweeps.points import Point
from experiments.training.summary import environment

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
    """The claims as a table on the terminal."""
    from rich.console import Console
    from rich.table import Table as Printed

    table = Printed("verdict", "claim", "expected", "measured", "low to high", "seeds")
    for claim in claims:
        spread = "" if claim.low is None else f"{shown(claim.low)} to {shown(claim.high)}"
        cells = [
            claim.verdict,
            claim.id,
            shown(claim.expected, claim.is_exact),
            shown(claim.measured, claim.is_exact),
            spread,
        ]
        table.add_row(*cells, str(claim.seeds or ""))
    console = Console(markup=False)
    # Off a terminal rich would fold the table to 80 columns.
    Console(width=max(console.width, 120)).print(table)
