"""The report of a study, and its claims on the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.console import print_line, print_table
from experiments.reporting.claims import Claim, NotRun, Outcome
from experiments.reporting.learning_curves import BANDS_IN_WORDS
from experiments.reporting.pictures import own_style, save_figure
from experiments.reporting.report import (
    Report,
    ReportFigure,
    Table,
    interval_text,
    link_figures,
    shown,
    write_report,
)
from experiments.reporting.seed_losses import INTERVALS, ends, in_short, with_ends
from experiments.reporting.verdicts import tally
from experiments.runs.environment import describe_environment, environment
from experiments.runs.run import Run
from experiments.statistics.over_seeds import mean_over_seeds, seed_losses
from experiments.studies.failures import reason_of
from experiments.studies.recorded import is_recorded
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import FigureSpec, StudyConfig
from experiments.sweeps.points import Point
from experiments.training.runner import default_directory

# The columns of the runs on the terminal; the report has more.
PRINTED = ("run", "seeds", "final loss", "95 % interval", "seconds a seed")


def write_study_report(
    study: StudyConfig,
    points: Sequence[Point],
    runs: StudyRuns,
    claims: Sequence[Claim],
    folder: Path,
    debug: bool = False,
) -> Path:
    """Figures as PNG and report.html. A figure that cannot be drawn is left out."""
    path = folder / "report.html"
    remove_pictures(path)
    figures = [draw(spec, runs, folder, debug) for spec in study.figures]
    there = runs.there
    report = Report(
        title=study.title,
        introduction=study.introduction.strip().split("\n\n"),
        figures=[figure for figure in figures if figure],
        claims=claims,
        tables=[corrected_table(claims), runs_table(there, sources(points))],
        configs={name: run.directory.config.read_text("utf-8") for name, run in there.items()},
        environment=describe_environment(environment()),
        figure_of=figures_of_claims(study),
    )
    write_report(path, report)
    return path


def figures_of_claims(study: StudyConfig) -> dict[str, str]:
    """For each claim, by id, the figure that shows the most of its runs."""
    return link_figures(
        {claim.id: study.runs_of(claim.criterion) for claim in study.claims},
        {figure.id: study.runs_of(figure.kind) for figure in study.figures},
    )


def remove_pictures(report: Path) -> None:
    """Remove the figures that an earlier report names; the study may have others now."""
    if report.is_file():
        for name in re.findall(r'id="figure-([a-z0-9_]+)"', report.read_text("utf-8")):
            (report.parent / f"{name}.png").unlink(missing_ok=True)


def draw(
    spec: FigureSpec, runs: StudyRuns, folder: Path, debug: bool = False
) -> ReportFigure | None:
    """One figure, as a PNG in the folder; None, and a line that says why, where it cannot be."""
    path = folder / f"{spec.id}.png"
    try:
        with own_style():
            save_figure(spec.kind.draw(spec.title, runs), path)
        chart = spec.kind.chart(runs)
    except NotRun as error:
        reason = str(error)
    except Exception as error:
        reason = reason_of(error, debug)
    else:
        banded = f" {BANDS_IN_WORDS.format(of='')}" if chart and chart.bands else ""
        return ReportFigure.from_file(path, spec.title, spec.caption.strip() + banded, chart)
    path.unlink(missing_ok=True)  # of an earlier report
    print(f"figure {spec.id}: left out: {reason}", file=sys.stderr)
    return None


def sources(points: Sequence[Point]) -> dict[str, str]:
    """What each run was made from, by its name: an experiment and overrides, or a run directory."""
    return {point.name: _source(point) for point in points}


def _source(point: Point) -> str:
    place = default_directory(point.config, point.overrides)
    if point.directory == place or is_recorded(point.directory):
        return " ".join([point.config.name, *point.overrides])
    return str(point.directory)


def runs_table(runs: Mapping[str, Run], made_from: Mapping[str, str]) -> Table:
    """Every run with its final loss; `made_from` by its name."""
    rows: list[list[float | str]] = []
    for name, run in runs.items():
        losses = [*run.final_losses.values()]
        found = seed_losses(losses, run.floors)
        cells = [
            ends(found.mean), ends(found.bootstrap), with_ends(found.interquartile),
            in_short(found.modes),
        ]  # fmt: skip
        seconds = "" if run.seconds_a_seed is None else f"{run.seconds_a_seed:.1f}"
        rows.append([name, made_from[name], len(losses), found.mean.mean, *cells, seconds])
    columns = [
        "run", "experiment and overrides, or directory", "seeds", "final loss", "95 % interval",
        "bootstrap", "interquartile mean", "either side of the middle", "seconds a seed",
    ]  # fmt: skip
    caption = (
        "Final loss: nats per time step, mean over the last tenth of training and over seeds. "
        f"{INTERVALS} Seconds a seed: training time, mean over the seeds."
    )
    return Table("Runs", caption, columns, rows)


def corrected_table(claims: Sequence[Claim]) -> Table:
    """The verdicts once all claims of the study count, and the claims that are stale."""
    rows: list[list[float | str]] = [
        [
            claim.id,
            in_words(claim.verdict),
            in_words(claim.verdict_corrected or claim.verdict),
            p_value(claim.p),
            p_value(claim.p_corrected),
            claim.stale,
        ]
        for claim in claims
    ]
    columns = ["claim", "verdict", "corrected", "p", "corrected p", "stale"]
    caption = (
        "Each verdict alone is wrong in at most 5 % of studies. After Holm's correction, at most "
        "5 % of studies have a wrong verdict at all. Claims that are exact or measured once have "
        "no p. A claim is stale where its runs were made by other code or versions than those here."
    )
    return Table("Verdicts, corrected for the number of claims", caption, columns, rows)


def in_words(verdict: Outcome) -> str:
    """A verdict as people read it."""
    return verdict.replace("_", " ")


def p_value(p: float | None) -> str:
    """A p value; empty where there is none."""
    return "" if p is None else f"{p:.2g}"


def print_study(
    claims: Sequence[Claim], runs: StudyRuns, points: Sequence[Point], stale: Mapping[str, str]
) -> None:
    """The claims, what is stale, and the final losses, on the terminal."""
    print_claims(claims)
    for name, reason in runs.absent.items():
        print_line(f"run {name}: {reason}")
    for reason in dict.fromkeys(stale.values()):
        names = [name for name in stale if stale[name] == reason]
        print_line(f"stale: {reason}: runs {', '.join(names)}")
    again = [claim.id for claim in claims if claim.stale]
    if again:
        print_line(f"claims to decide again: {', '.join(again)}")
        if all(is_recorded(runs[name].directory.path) for name in stale):
            print_line("they are recorded; `run.py train` with their overrides trains them again")
        else:
            print_line(
                "remove the directories of stale runs, and rerun the command to train them again"
            )
    print_runs(runs.there, points)


def as_json(claims: Sequence[Claim], runs: Mapping[str, Run], report: Path) -> dict[str, Any]:
    """The claims as in claims.json, the final loss of each run, and the path of the report."""
    losses = {
        name: mean_over_seeds([*run.final_losses.values()], run.floors)
        for name, run in runs.items()
    }
    return {
        "claims": [claim._asdict() for claim in claims],
        "runs": [
            {
                "run": name, "seeds": len(run.final_losses),
                "final_loss": losses[name]._asdict(), "seconds_a_seed": run.seconds_a_seed,
                "run_directory": str(run.directory.path),
            }
            for name, run in runs.items()
        ],
        "report": str(report),
    }  # fmt: skip


def print_runs(runs: Mapping[str, Run], points: Sequence[Point]) -> None:
    """The final losses, without the columns of details."""
    table = runs_table(runs, sources(points))
    kept = [place for place, name in enumerate(table.columns) if name in PRINTED]
    print()
    print_table(
        [table.columns[place] for place in kept],
        [[shown(row[place]) for place in kept] for row in table.rows],
    )


def print_claims(claims: Sequence[Claim]) -> None:
    """The claims as a table on the terminal, and why some could not be decided."""
    rows = []
    for claim in claims:
        expected, measured = (
            shown(value, claim.exact) for value in (claim.expected, claim.measured)
        )
        verdict = in_words(claim.verdict)
        if claim.verdict_corrected not in (None, claim.verdict):
            verdict += f" ({in_words(claim.verdict_corrected)})"
        interval = interval_text(claim.low, claim.high)
        rows.append([verdict, claim.id, expected, measured, interval, str(claim.seeds or "")])
    print_table(["verdict", "claim", "expected", "measured", "low to high", "seeds"], rows)
    if claims:
        print(tally(claims))
    if any(claim.verdict_corrected not in (None, claim.verdict) for claim in claims):
        print_line(
            "in brackets: the verdict once all claims of the study count (Holm's correction)"
        )
    for claim in claims:
        if claim.verdict == "not_run":
            print_line(f"{claim.id} not run: {claim.note}")
