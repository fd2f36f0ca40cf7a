"""A study from its name to its report: train what is missing, decide the claims, write it down."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from experiments.config.compose import load_configs
from experiments.config.schema import Config
from experiments.console import plain, print_json
from experiments.errors import Interrupted, UsageError
from experiments.interrupts import was_interrupted
from experiments.reporting.claims import Claim, NotRun, write_claims
from experiments.reporting.provenance import stale_reason
from experiments.runs.directory import RunDirectory
from experiments.runs.files import make_output_folder
from experiments.runs.run import Run, read_run
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import as_one, parts_of
from experiments.studies.correction import with_corrections
from experiments.studies.folder import default_folder, holds_another, name_content
from experiments.studies.looks import Budget, Looks, planned_looks
from experiments.studies.recorded import find_recorded
from experiments.studies.runs import StudyRuns, matching, names_in
from experiments.studies.spec import ClaimSpec, StudyConfig, load_study
from experiments.sweeps.launcher import may_start, train_missing
from experiments.sweeps.points import Point, Result, check, read_results
from experiments.training.runner import default_directory


class Plan(NamedTuple):
    """The runs of a study, each with its config."""

    points: list[Point]  # where they are read
    own: dict[str, Point]  # where they are trained, recorded or not; by name


def plan(study: StudyConfig, overrides: Sequence[str], data_changed: bool = False) -> Plan:
    """The study's runs and where they are, every one checked before the first one starts.

    A run that was recorded is read from there, unless it is complete here.
    """
    own, points, here = own_points(study, overrides), [], []
    for point in own:
        recorded = (
            find_recorded(study.recorded, point.name, point.config) if study.recorded else None
        )
        if recorded and not RunDirectory(point.directory).is_complete():
            points.append(point._replace(directory=recorded))
        else:
            here.append(point)
            points.append(point)
    check_names(study, overrides, {point.name: point.config for point in points})
    check(here, data_changed)
    return Plan(points, {point.name: point for point in own})


def own_points(study: StudyConfig, overrides: Sequence[str]) -> list[Point]:
    """The study's runs in the directories where they are trained, recorded or not."""
    points = []
    configs = configs_of(study, overrides)
    for name, spec in study.all_runs.items():
        changes, config = last_of_each_key(*spec.overrides, *overrides), configs[name]
        directory = default_directory(config, changes)
        if spec.run_dir and not changes:
            directory = spec.run_dir
        points.append(Point(name, changes, config, directory))
    return points


def last_of_each_key(*overrides: str) -> tuple[str, ...]:
    """The overrides without those that a later one of the same key replaces."""
    by_key = {text.partition("=")[0].strip(): text for text in overrides}
    return tuple(by_key.values())


def configs_of(study: StudyConfig, overrides: Sequence[str]) -> dict[str, Config]:
    """The config of each run by name. Raises UsageError for the first that is not valid."""
    by_source: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, spec in study.all_runs.items():
        changes = last_of_each_key(*spec.overrides, *overrides)
        by_source.setdefault(spec.source, {})[name] = changes
    configs: dict[str, Config] = {}
    for source, changes_by_name in by_source.items():
        try:
            found = load_configs(source, changes_by_name.values())
        except UsageError:
            name, error = _first_invalid(source, changes_by_name)
            raise UsageError(f"study “{study.title}”: run {name}: {error}") from error
        configs |= dict(zip(changes_by_name, found, strict=True))
    return configs


def _first_invalid(
    source: str, changes_by_name: Mapping[str, Sequence[str]]
) -> tuple[str, UsageError]:
    """The first run whose config is not valid, and why."""
    for name, changes in changes_by_name.items():
        try:
            load_configs(source, [changes])
        except UsageError as error:
            return name, error
    raise AssertionError("every config is valid on its own")


def check_names(
    study: StudyConfig, overrides: Sequence[str], configs: Mapping[str, Config]
) -> None:
    """See that figures and claims ask of the runs what they will have. Raises UsageError.

    Where overrides take away what a claim needs, the study is right and that claim is not run.
    """
    problem = study.problem(configs)
    if problem and overrides:
        problem = study.problem(configs_of(study, ()))
    if problem:
        raise UsageError(f"study “{study.title}”: {problem}")


class Asked(NamedTuple):
    """The options of `reproduce`."""

    overrides: Sequence[str] = ()
    workers: int | None = None
    out: Path | None = None
    budget: Budget | None = None  # None: one look at the study's own seeds
    debug: bool = False  # show tracebacks of claims and figures that fail
    data_changed: bool = False  # whether runs may be of other data than there is now
    yes: bool = False  # do not ask before starting many runs
    json_to: TextIO | None = None  # where to print the result as JSON; None: tables, to stdout


def reproduce(name: str, asked: Asked) -> int:
    """Train what is missing, decide the claims, write the report. Returns the exit code.

    Asks before starting many runs, as a sweep does. Raises Interrupted when asked to stop, with a
    report of the runs that are there.
    """
    study = load_study(name)
    if not may_start(name, len(study.all_runs), asked.yes):
        return 0
    planned = plan(study, asked.overrides, asked.data_changed)
    points = planned.points
    looks = Looks(
        study.claims,
        planned_looks(points, asked.budget),
        asked.budget.max_seconds if asked.budget else None,
        {point.name: [point] for point in points},
        planned.own,
    )
    overrides = last_of_each_key(*asked.overrides)
    folder = asked.out or default_folder(name, overrides)
    make_output_folder(folder)
    if holds_another(folder, name, overrides):
        print(plain(f"this replaces the report of another study or of other overrides in {folder}"))
    report = partial(_report, study, looks, name, folder, asked)
    absent: dict[str, str] = {}
    judge = partial(decide, debug=asked.debug)
    if not points:  # its claims measure for themselves
        looks.take(read_runs(looks.batches, absent), judge)
    try:
        batch = points
        while batch:
            results = train_missing(batch, "local", asked.workers, asked.data_changed)
            absent |= _not_complete(results)
            if looks.look:
                looks.add(batch)
            looks.take(read_runs(looks.batches, absent), judge)
            batch = looks.next_batch()
            if batch:
                check(batch, asked.data_changed)
                print(looks.describe())
    except Interrupted:
        if not looks.look:
            absent = _not_complete(read_results(points, {}))
            if len(absent) == len(points):
                raise
            looks.take(read_runs(looks.batches, absent), judge)
        report(absent)
        raise
    claims = report(absent)
    return 1 if absent or any(claim.verdict != "holds" for claim in claims) else 0


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
    study: StudyConfig,
    looks: Looks,
    name: str,
    folder: Path,
    asked: Asked,
    absent: Mapping[str, str],
) -> list[Claim]:
    """Write down the claims as they stand; `absent` says why some runs are not there."""
    from experiments.studies.report import as_json, print_study, write_study_report

    runs = read_runs(looks.batches, absent)
    stale = stale_runs(runs)
    claims = [
        claim._replace(stale=stale_claim(spec, stale))
        for spec, claim in zip(
            study.claims, with_corrections([*looks.claims.values()], looks.level), strict=True
        )
    ]
    study = study.model_copy(update={"introduction": _introduction(study, looks, asked.overrides)})
    name_content(folder, name, last_of_each_key(*asked.overrides))
    write_claims(folder / "claims.json", claims)
    points = [batches[0] for batches in looks.batches.values()]
    report = write_study_report(study, points, runs, claims, folder, asked.debug)
    if asked.json_to:
        with contextlib.redirect_stdout(asked.json_to):
            print_json(as_json(claims, runs.there, report))
        return claims
    print_study(claims, runs, points, stale)
    if looks.planned > 1:
        print(looks.describe())
    print(f"report: {report}")
    return claims


def read_runs(batches: Mapping[str, Sequence[Point]], absent: Mapping[str, str]) -> StudyRuns:
    """The runs that are not absent, each with all its batches. One that cannot be read is absent.

    Without its first batch a run is absent; another that is absent is left out.
    """
    there: dict[str, Run] = {}
    missing = dict(absent)
    for name, points in batches.items():
        parts = []
        for point in points:
            if point.name not in missing:
                try:
                    parts.append(read_run(point.directory, name).require_rows())
                except UsageError as error:
                    missing[point.name] = str(error)
        if parts and name not in missing:
            there[name] = as_one(parts)
    return StudyRuns(there, missing)


def stale_runs(runs: StudyRuns) -> dict[str, str]:
    """Why runs are to be trained again, by name."""
    reasons = {
        name: next(filter(None, (stale_reason(part.summary) for part in parts_of(run))), "")
        for name, run in runs.there.items()
    }
    return {name: reason for name, reason in reasons.items() if reason}


def stale_claim(spec: ClaimSpec, stale: Mapping[str, str]) -> str:
    """The stale runs that a claim is decided by, and why; empty where there are none."""
    named = matching([*names_in(spec.criterion)], stale)
    return "; ".join(f"run {name}: {stale[name]}" for name in named)


def decide(spec: ClaimSpec, runs: StudyRuns, level: float = LEVEL, debug: bool = False) -> Claim:
    """Decide one claim; not_run, with the reason, where that is not possible."""
    head = (spec.id, spec.source, spec.claim, spec.criterion.expectation())
    try:
        found = spec.criterion.find(runs, level)
    except NotRun as error:
        return Claim(*head, None, None, None, 0, "not_run", str(error))
    except Exception as error:  # one claim must not take the report with it
        if was_interrupted():
            raise
        if debug:
            traceback.print_exception(error)
        reason = f"{type(error).__name__}: {error} (--debug shows where)"
        print(f"claim {spec.id}: not run: {reason}", file=sys.stderr)
        return Claim(*head, None, None, None, 0, "not_run", reason)
    return Claim(
        *head,
        found.value,
        found.low,
        found.high,
        found.seeds,
        found.verdict,
        found.note,
        found.p,
    )
