"""Compare runs: curves, a heat map if two keys vary, a table and a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.comparison.answer import answers
from experiments.comparison.cells import Column, detail_columns, record, short_columns
from experiments.comparison.data import check_same_data
from experiments.comparison.figures import (
    Curve,
    curves_figure,
    greatest_loss,
    heat_map,
    target_figure,
)
from experiments.comparison.folder import (
    TABLE,
    default_folder,
    holds_other_runs,
    remove_pictures,
)
from experiments.comparison.formats import FORMATS
from experiments.comparison.groups import Group, group_runs, shared_name, sorted_groups
from experiments.comparison.notes import notes
from experiments.comparison.ranking import choose_ranking
from experiments.comparison.table import Comparison, Line, compare_groups
from experiments.comparison.targets import parse_target
from experiments.console import plain, print_table, print_text
from experiments.reporting.chart import Chart, curve_chart
from experiments.reporting.learning_curves import BANDS_IN_WORDS, Series
from experiments.reporting.pictures import save_picture
from experiments.reporting.report import Report, ReportFigure, Table, write_report
from experiments.reporting.seed_losses import INTERVALS
from experiments.reporting.tables import write_csv
from experiments.runs.curves import Curves
from experiments.runs.environment import describe_environment, environment
from experiments.runs.files import make_output_folder
from experiments.runs.floor_noise import floor_variances, noise_bands
from experiments.runs.found import find_readable_runs
from experiments.runs.onset import AXES
from experiments.runs.run import Run
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRINTED = 40  # lines of the table on the terminal at most
DRAWN = 70  # curves of a task at most; a figure of more is too long to read
CAPTION = (
    "Sorted from best to worst. Above the best: the mean difference, paired where seeds are "
    "shared, with an interval that covers all pairs at once (Bonferroni). Tied: indistinguishable "
    "from the best."
)
DETAILS = (
    f"{INTERVALS} Final loss: training loss, nats per time step, mean over the last tenth of the "
    "updates. Updates in the final loss: how many those are; (rows) if only logged rows are there, "
    "which reach further back. Seconds a seed: training time, mean over the complete seeds. At the "
    "floor: the floor whose band of sampling noise contains the ranked loss."
)

LINES = (
    "Line: mean over seeds. Band: the range over seeds. Thin lines: single seeds after others "
    "have ended."
)


class CompareOptions(NamedTuple):
    """The options of `compare`."""

    out: Path | None = None  # None: a folder below reports/
    by: str | None = None  # what to rank by; None: the best ranking that all runs allow
    target: str | None = None  # a loss, or halfway
    format: str | None = None  # md, latex or json, on standard output only
    data_changed: bool = False  # whether runs of one config may be of different data


def compare(paths: Sequence[Path], options: CompareOptions) -> None:
    """Write comparison.csv, figures and report.html, and print a table.

    With a format, only the table is printed, and files are written only if `out` is given. Runs
    that cannot be read are named and left out. Raises UsageError if a path holds no run, none can
    be read, runs of one config were trained on different data, an option does not fit the runs,
    or `out` cannot be used.
    """
    runs, unreadable = find_readable_runs(paths)
    for reason in unreadable:
        print(plain(f"warning: left out: {reason}"), file=sys.stderr)
    if not options.data_changed:
        check_same_data(runs)
    compared = _compared(runs, options)
    # Each task has notes of its own, some of which say the same.
    remarks = [*dict.fromkeys(notes(compared)), *(f"Left out: {reason}" for reason in unreadable)]
    if options.format:
        if options.out:
            if holds_other_runs(options.out, runs):
                print(f"this replaces a comparison of other runs in {options.out}", file=sys.stderr)
            _write(compared, remarks, runs, options.out)
        print(FORMATS[options.format](compared, remarks))
        return
    out = options.out or default_folder(paths, runs)
    if holds_other_runs(out, runs):
        remarks.append(f"This replaces a comparison of other runs in {out}.")
    _write(compared, remarks, runs, out)
    shown = short_columns(compared)
    rows = [[column.cell(line) for column in shown] for line in compared.lines[:PRINTED]]
    print_table([column.title for column in shown], rows)
    if len(compared.lines) > PRINTED:
        print(f"{len(compared.lines) - PRINTED} more lines are in the report.")
    for remark in remarks:
        print_text(remark)
    print(f"report: {out / 'report.html'}")


def _compared(runs: Sequence[Run], options: CompareOptions) -> Comparison:
    groups = group_runs(runs)
    ranking = choose_ranking(groups, options.by)
    split = "valid" if ranking.by == "valid" else "train"
    target = parse_target(options.target, split) if options.target else None
    return compare_groups(groups, ranking, target)


def _write(compared: Comparison, remarks: Sequence[str], runs: Sequence[Run], out: Path) -> None:
    """Write the files of the folder."""
    make_output_folder(out, [] if (out / TABLE).exists() else ["report.html"])
    remove_pictures(out)
    records = [record(line, compared) for line in compared.lines]
    header = list(dict.fromkeys(name for each in records for name in each))
    write_csv(out / TABLE, header, [[_cell(each.get(name)) for name in header] for each in records])
    report = Report(
        f"Comparison of {_count(compared.groups, len(runs))}",
        remarks,
        list(_figures(compared, out)),
        [],
        [
            _table("Runs", CAPTION, short_columns(compared), compared),
            _table("Details", DETAILS, detail_columns(compared), compared),
        ],
        {
            group.label: group.runs[0].directory.config.read_text("utf-8")
            for group in compared.groups
        },
        describe_environment(environment()),
        answer=answers(compared),
    )
    write_report(out / "report.html", report)


def _table(title: str, caption: str, shown: Sequence[Column], compared: Comparison) -> Table:
    rows = [[column.cell(line) for column in shown] for line in compared.lines]
    return Table(title, caption, [column.title for column in shown], rows)


def _cell(value: object) -> object:
    """A value of the CSV. Lists of paths are JSON, because paths may contain any character."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _count(groups: Sequence[Group], runs: int) -> str:
    many = f"{runs} runs" if runs > 1 else "1 run"
    return many if runs == len(groups) else f"{many} in {len(groups)} configs"


def _figures(compared: Comparison, out: Path) -> Iterator[ReportFigure]:
    """Draw each figure and write it to `out`."""
    ranking = compared.ranking
    if len(compared.keys) == 2 and any(line.mean for line in compared.lines):
        caption = (
            f"Mean over seeds of {ranking.text}. Framed: the best; dashed: indistinguishable from "
            "it. Empty: no run. A status: no seed is complete. n of m: some seeds are not complete."
        )
        title = f"{ranking.title} over the two keys that differ"
        draw = partial(heat_map, compared, title)
        yield from _figure(draw, out / "heat_map.png", title, caption)
    several = len(compared.tasks) > 1
    for number, lines in enumerate(compared.tasks, 1):
        suffix = f"_task_{number}" if several else ""
        yield from _curve_figures(lines, out, suffix)
    if compared.target and any(found.seeds for found in compared.reached.values()):
        title = f"training until the loss is below {compared.target.name}"
        caption = (
            "Mean over the seeds that reached it, with Student's 95 % interval. Losses come from "
            "the logged rows, so these numbers are as coarse as the rows."
        )
        draw = partial(target_figure, compared, title)
        yield from _figure(draw, out / "target.png", title, caption)


def _curve_figures(lines: Sequence[Line], out: Path, suffix: str) -> Iterator[ReportFigure]:
    """Draw the curves of one task, starting with validation if there is any."""
    ranked = [line.group for line in lines if line.group.rows]
    groups = sorted_groups(ranked[:DRAWN])
    if not groups:
        return
    cut = f" The best {DRAWN} of {len(ranked)}." if len(ranked) > DRAWN else ""
    named = f", {shared_name(groups)}" if suffix else ""
    validated = [group for group in groups if group.validation_rows]
    if validated:
        curve = Curve("updates", _validation_curves, {}, {})
        title = f"validation loss against updates{named}"
        path = out / f"comparison_validation{suffix}.png"
        save_picture(partial(curves_figure, validated, curve, title), path)
        yield ReportFigure.from_file(path, title, LINES + cut, _chart(validated, curve))
    floors, symbols = groups[0].floors, min(group.symbols_a_row for group in groups)
    bands = noise_bands(floors, floor_variances(groups[0].runs[0].config), symbols)
    paths = []
    # With several tasks, three figures of the same curves would bury the rest of the report.
    for axis in AXES[:1] if suffix else AXES:
        title = f"training loss against {axis.replace('_', ' ')}{named}"
        name = "comparison" if axis == "updates" else f"comparison_{axis}"
        paths.append(out / f"{name}{suffix}.png")
        curve = Curve(axis, _training_curves, floors, bands)
        save_picture(partial(curves_figure, groups, curve, title), paths[-1])
    chart = _chart(groups, Curve("updates", _training_curves, floors, bands))
    caption = LINES + _floor_text(floors, bands, symbols) + cut
    yield ReportFigure.from_files(paths, f"training loss{named}", caption, chart)


def _chart(groups: Sequence[Group], curve: Curve) -> Chart:
    """The curves as an interactive chart."""
    series = [Series(group.label, curve.of(group)) for group in groups]
    top = greatest_loss(groups, curve)
    return curve_chart(series, curve.floors, top=top, bands=curve.bands)


def _floor_text(floors: Mapping[str, float], bands: Mapping[str, Interval], symbols: int) -> str:
    if not floors:
        return ""
    text = " Dashed: exact entropy floors."
    if bands:
        text += " " + BANDS_IN_WORDS.format(of=f", each a mean over {symbols:,} symbols")
    return text


def _training_curves(group: Group) -> Curves:
    return group.curves


def _validation_curves(group: Group) -> Curves:
    return group.validation_curves


def _figure(
    draw: Callable[[], Figure], path: Path, title: str, caption: str
) -> Iterator[ReportFigure]:
    """A figure that is left out where it cannot be drawn."""
    if save_picture(draw, path):
        yield ReportFigure.from_file(path, title, caption)
