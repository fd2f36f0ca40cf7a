"""A study from its name to its report: train what is missing, decide the claims, write it down."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from experiments.console import plain, print_json
from experiments.errors import Interrupted
from experiments.reporting.claims import Claim, write_claims
from experiments.runs.files import make_output_folder
from experiments.studies.correction import with_corrections
from experiments.studies.decisions import decide, stale_claim, stale_runs
from experiments.studies.folder import CONTENT, default_folder, holds_another, name_content
from experiments.studies.looks import Budget, Decide, Looks, planned_looks
from experiments.studies.points import last_of_each_key, plan
from experiments.studies.spec import StudyConfig, load_study
from experiments.sweeps.launcher import may_start, train_missing
from experiments.sweeps.points import Point, Result, check_can_start, read_results


class ReproduceOptions(NamedTuple):
    """The options of `reproduce`."""

    overrides: Sequence[str] = ()
    workers: int | None = None
    out: Path | None = None
    budget: Budget | None = None  # None: one look at the study's own seeds
    debug: bool = False  # show tracebacks of claims and figures that fail
    data_changed: bool = False  # whether runs may be of other data than there is now
    yes: bool = False  # do not ask before starting many runs
    json_to: TextIO | None = None  # where to print the result as JSON; None: tables, to stdout


def reproduce(name: str, options: ReproduceOptions) -> int:
    """Train what is missing, decide the claims, write the report. Returns the exit code.

    Asks before starting many runs, as a sweep does. Raises Interrupted when asked to stop, with a
    report of the runs that are there.
    """
    study = load_study(name)
    if not may_start(name, len(study.all_runs), options.yes):
        return 0
    planned = plan(study, options.overrides, options.data_changed)
    points = planned.points
    looks = Looks(
        study.claims,
        planned_looks(points, options.budget),
        options.budget.max_seconds if options.budget else None,
        {point.name: [point] for point in points},
        planned.own,
    )
    folder = _report_folder(name, options)
    report = partial(_report, study, looks, name, folder, options)
    judge = partial(decide, debug=options.debug)
    try:
        _train_and_decide(points, looks, judge, options)
    except Interrupted:
        if not looks.look:
            looks.absent = _not_complete(read_results(points, {}))
            if len(looks.absent) == len(points):
                raise
            looks.take(looks.runs(), judge)
        report()
        raise
    claims = report()
    return 1 if looks.absent or any(claim.verdict != "holds" for claim in claims) else 0


def _report_folder(name: str, options: ReproduceOptions) -> Path:
    """The folder of the report, made. Says so where it holds another report."""
    overrides = last_of_each_key(*options.overrides)
    folder = options.out or default_folder(name, overrides)
    make_output_folder(folder, [] if (folder / CONTENT).exists() else ["report.html"])
    if holds_another(folder, name, overrides):
        print(plain(f"this replaces the report of another study or of other overrides in {folder}"))
    return folder


def _train_and_decide(
    points: list[Point], looks: Looks, judge: Decide, options: ReproduceOptions
) -> None:
    """Train batch after batch until the looks end.

    Raises Interrupted when asked to stop; `looks` are then as the last look left them.
    """
    if not points:  # its claims measure for themselves
        looks.take(looks.runs(), judge)
    batch = points
    while batch:
        results = train_missing(batch, "local", options.workers, options.data_changed)
        looks.absent |= _not_complete(results)
        if looks.look:
            looks.add(batch)
        looks.take(looks.runs(), judge)
        batch = looks.next_batch()
        if batch:
            check_can_start(batch, options.data_changed)
            print(looks.describe())


def _introduction(study: StudyConfig, looks: Looks, overrides: Sequence[str]) -> str:
    """The study's own, and below it what this run changed, which the words do not know of."""
    parts = [study.introduction.strip() or study.description]
    if overrides:
        parts.append(f"Every run here was changed by: {' '.join(overrides)}")
    if looks.planned > 1:
        parts.append(looks.describe())
    return "\n\n".join(parts)


def _not_complete(results: Sequence[Result]) -> dict[str, str]:
    """Why each of the runs that are not complete is not."""
    return {
        result.point.name: result.reason or result.status
        for result in results
        if result.status != "complete"
    }


def _report(
    study: StudyConfig, looks: Looks, name: str, folder: Path, options: ReproduceOptions
) -> list[Claim]:
    """Write down the claims as they stand."""
    from experiments.studies.report import as_json, print_study, write_study_report

    runs = looks.runs()
    stale = stale_runs(runs)
    claims = [
        claim._replace(stale=stale_claim(spec, stale))
        for spec, claim in zip(
            study.claims, with_corrections([*looks.claims.values()], looks.level), strict=True
        )
    ]
    study = study.model_copy(
        update={"introduction": _introduction(study, looks, options.overrides)}
    )
    name_content(folder, name, last_of_each_key(*options.overrides))
    write_claims(folder / "claims.json", claims)
    points = [batches[0] for batches in looks.batches.values()]
    report = write_study_report(study, points, runs, claims, folder, options.debug)
    if options.json_to:
        with contextlib.redirect_stdout(options.json_to):
            print_json(as_json(claims, runs.there, report))
        return claims
    print_study(claims, runs, points, stale)
    if looks.planned > 1:
        print(looks.describe())
    print(f"report: {report}")
    return claims
