"""Compare finished runs: one plot, one table, one report."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from experiments.files import make_output_folder, write_atomic
from experiments.finished import FinishedRun, read_run
from experiments.plots import Series, learning_curve_figure, save_figure
from experiments.report import Report, ReportFigure, Table, describe_environment, write_report
from experiments.run_directory import RunDirectory
from experiments.summary import environment

AXES = ("updates", "time_steps", "seconds")
COLUMNS = ("run", "status", "seeds", "final loss", "low", "high", "seconds")


def compare(paths: Sequence[Path], out: Path) -> None:
    """Write comparison.png (loss against updates), .csv and report.html to `out`."""
    runs = [
        read_run(RunDirectory(path), label)
        for path, label in zip(paths, _labels(paths), strict=True)
    ]
    make_output_folder(out)
    series = [Series(run.label, run.curves) for run in runs]
    floors = runs[0].floors if all(run.floors == runs[0].floors for run in runs) else {}
    figures = []
    for axis in AXES:
        title = f"loss against {axis.replace('_', ' ')}"
        path = out / ("comparison.png" if axis == "updates" else f"comparison_{axis}.png")
        save_figure(learning_curve_figure(title, series, floors, axis), path)
        caption = "Line: mean over seeds. Band: the range over seeds. Dashed: exact entropy floors."
        figures.append(ReportFigure.from_file(path, title, caption if floors else caption[:-30]))
    rows = [_row(run) for run in runs]
    _write_csv(out / "comparison.csv", rows)
    caption = (
        "Final loss: nats per time step over the last tenth of training, with the 95 % interval "
        "of its mean over seeds."
    )
    report = Report(
        f"Comparison of {len(runs)} runs", [], figures, [], [Table("Runs", caption, COLUMNS, rows)],
        {run.label: run.directory.config.read_text("utf-8") for run in runs},
        describe_environment(environment()),
    )  # fmt: skip
    write_report(out / "report.html", report)
    _print(rows)
    print(f"report: {out / 'report.html'}")


def _labels(paths: Sequence[Path]) -> list[str]:
    """Each path without the folders that all share."""
    if len(paths) == 1:
        return [str(paths[0])]
    shared = os.path.commonpath(paths)
    return [os.path.relpath(path, shared) for path in paths]


def _row(run: FinishedRun) -> list[float | str]:
    mean, low, high = run.final_loss
    status = str(run.summary.get("status", "unknown"))
    interval = ["", ""] if low != low else [low, high]
    return [run.label, status, len(run.final_losses), mean, *interval, round(run.seconds, 3)]


def _write_csv(path: Path, rows: Sequence[Sequence[float | str]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_atomic(path, buffer.getvalue())


def _print(rows: Sequence[Sequence[float | str]]) -> None:
    from rich.console import Console
    from rich.table import Table as Printed

    from experiments.report import shown

    table = Printed(*COLUMNS)
    for row in rows:
        table.add_row(*[shown(cell) for cell in row])
    Console(width=max(Console().width, 100), markup=False).print(table)
