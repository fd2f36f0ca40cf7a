"""Compare runs: curves, a heat map where two keys vary, one table, one report."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.comparison.figures import curves_figure, loss_heat_map
from experiments.comparison.groups import Group, group_runs
from experiments.comparison.table import Line, cells, columns, compare_groups, header, record
from experiments.console import plain, print_table
from experiments.reporting.environment import describe_environment, environment
from experiments.reporting.plots import own_style, save_figure
from experiments.reporting.report import (
    Report,
    ReportFigure,
    Table,
    write_report,
)
from experiments.reporting.tables import write_csv
from experiments.runs.files import make_output_folder
from experiments.runs.found import find_readable_runs
from experiments.runs.onset import Axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES: dict[Axis, str] = {
    "updates": "comparison.png",
    "time_steps": "comparison_time_steps.png",
    "seconds": "comparison_seconds.png",
}
DRAWN = 70  # curves at most; a picture of more is too long to read
TABLE = (
    "From the lowest final loss up. Final loss: nats per time step over the last tenth of "
    "training, mean over the complete seeds, with Student's interval. Above the best: the "
    "difference of the means, with Welch's interval. Seconds: training time of all seeds."
)


def compare(paths: Sequence[Path], out: Path) -> None:
    """Write comparison.csv, comparison.png (loss against updates), more figures and report.html.

    Runs that cannot be read are named and left out.
    Raises UsageError where a path holds no run, none can be read, or `out` cannot be used.
    """
    found = find_readable_runs(paths)
    for reason in found.unreadable:
        print(plain(f"warning: left out: {reason}"), file=sys.stderr)
    groups = group_runs(found.runs)
    lines = compare_groups(groups)
    keys = list(groups[0].values)
    make_output_folder(out)
    write_csv(out / "comparison.csv", header(keys), map(record, lines))
    notes = [*_notes(groups, keys), *(f"Left out: {reason}" for reason in found.unreadable)]
    with own_style():
        figures = list(_figures(groups, lines, out))
    report = Report(
        f"Comparison of {_count(groups)}",
        notes,
        figures,
        [],
        [Table("Runs", TABLE, columns(keys), [cells(line) for line in lines])],
        {group.label: group.runs[0].directory.config.read_text("utf-8") for group in groups},
        describe_environment(environment()),
    )
    write_report(out / "report.html", report)
    print_table(columns(keys), [cells(line) for line in lines])
    print("\n".join(map(plain, notes)))
    print(f"report: {out / 'report.html'}")


def _notes(groups: Sequence[Group], keys: Sequence[str]) -> Iterator[str]:
    """Remarks to read before the numbers."""
    yield f"Keys that differ: {', '.join(keys)}." if keys else "The configs are the same."
    yield "± is half of the 95 % interval over seeds."
    if len({tuple(group.floors.values()) for group in groups if group.floors}) > 1:
        yield "The tasks have different floors, so their losses are not directly comparable."
    for group in groups:
        if group.repeated:
            seeds = ", ".join(map(str, group.repeated))
            yield f"{group.label}: seed {seeds} is in more than one run; it counts once."


def _count(groups: Sequence[Group]) -> str:
    runs = sum(len(group.runs) for group in groups)
    many = f"{runs} runs" if runs > 1 else "1 run"
    return many if runs == len(groups) else f"{many} in {len(groups)} configs"


def _figures(groups: Sequence[Group], lines: Sequence[Line], out: Path) -> Iterator[ReportFigure]:
    """The figures, each written to `out` when it is drawn."""
    if len(groups[0].values) == 2 and any(line.loss for line in lines):
        caption = (
            "Mean final loss; the lowest is framed. Empty: no run. A status: no seed is complete. "
            "n of m: some seeds are not complete."
        )
        title = "final loss over the two keys that differ"
        yield _figure(loss_heat_map(groups, title), out / "heat_map.png", title, caption)
    with_rows = [line.group for line in lines if line.group.rows]
    drawn = [group for group in groups if group in with_rows[:DRAWN]]
    if not drawn:
        return
    same = all(group.floors == drawn[0].floors for group in drawn)
    floors = drawn[0].floors if same else {}
    caption = "Line: mean over seeds. Band: the range over seeds."
    if floors:
        caption += " Dashed: exact entropy floors."
    if len(drawn) < len(with_rows):
        caption += f" The {DRAWN} of {len(with_rows)} with the lowest final losses."
    for axis, name in PICTURES.items():
        title = f"loss against {axis.replace('_', ' ')}"
        yield _figure(curves_figure(drawn, floors, axis, title), out / name, title, caption)


def _figure(figure: Figure, path: Path, title: str, caption: str) -> ReportFigure:
    save_figure(figure, path)
    return ReportFigure.from_file(path, title, caption)
