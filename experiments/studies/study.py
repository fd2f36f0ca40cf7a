"""A study from its name to its report: train what is missing, decide the claims, write it down."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.config.compose import load_configs
from experiments.config.schema import Config
from experiments.errors import Interrupted, UsageError
from experiments.reporting.claims import Claim, NotRun, count_verdicts, write_claims
from experiments.runs.directory import RunDirectory
from experiments.runs.run import Run, read_run
from experiments.studies.recorded import find_recorded
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import ClaimSpec, StudyConfig, load_study
from experiments.sweeps.launcher import train_missing
from experiments.sweeps.points import Point, Result, check, read_results
from experiments.training.runner import default_directory


def plan(study: StudyConfig, overrides: Sequence[str]) -> list[Point]:
    """The study's runs and where they are, every one checked before the first one starts.

    A run that was recorded is read from there, unless it is complete here.
    """
    points, here = [], []
    configs = configs_of(study, overrides)
    for name, spec in study.all_runs.items():
        changes = (*spec.overrides, *overrides)
        config = configs[name]
        point = Point(name, changes, config, default_directory(config, changes))
        recorded = find_recorded(study.recorded, name, config) if study.recorded else None
        if recorded and not RunDirectory(point.directory).is_complete():
            point = point._replace(directory=recorded)
        else:
            here.append(point)
        points.append(point)
    check_names(study, overrides, configs)
    check(here)
    return points


def configs_of(study: StudyConfig, overrides: Sequence[str]) -> dict[str, Config]:
    """The config of each run by name. Raises UsageError for the first that is not valid."""
    by_experiment: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, spec in study.all_runs.items():
        by_experiment.setdefault(spec.experiment, {})[name] = (*spec.overrides, *overrides)
    configs: dict[str, Config] = {}
    for experiment, changes in by_experiment.items():
        configs |= dict(zip(changes, load_configs(experiment, changes.values()), strict=True))
    return configs


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


def reproduce(
    name: str,
    overrides: Sequence[str],
    workers: int | None,
    out: Path | None,
    debug: bool = False,
) -> int:
    """Train what is missing, decide the claims, write the report. Returns the exit code.

    With `debug`, a claim or a figure that fails shows its traceback.

    Raises Interrupted when asked to stop, with a report of the runs that are there.
    """
    study = load_study(name)
    points = plan(study, overrides)
    study = study.model_copy(update={"introduction": _introduction(study, overrides)})
    folder = out or Path("reports") / name
    try:
        results = train_missing(points, "local", workers)
    except Interrupted:
        left = _not_complete(read_results(points, {}))
        if len(left) < len(points):
            _report(study, points, left, folder, debug)
        raise
    failed = _not_complete(results)
    claims = _report(study, points, failed, folder, debug)
    return 1 if failed or any(claim.verdict != "holds" for claim in claims) else 0


def _introduction(study: StudyConfig, overrides: Sequence[str]) -> str:
    """The study's own, and below it what this run changed, which the words do not know of."""
    if not overrides:
        return study.introduction
    return f"{study.introduction.strip()}\n\nEvery run here was changed by: {' '.join(overrides)}"


def _not_complete(results: Sequence[Result]) -> dict[str, str]:
    """Why each of the runs that are not complete is not."""
    return {
        result.point.name: result.reason or result.status
        for result in results
        if result.status != "complete"
    }


def _report(
    study: StudyConfig,
    points: Sequence[Point],
    absent: Mapping[str, str],
    folder: Path,
    debug: bool,
) -> list[Claim]:
    """Decide the claims from the runs that are there; `absent` says why the others are not."""
    from experiments.studies.report import print_claims, write_study_report

    runs = read_runs(points, absent)
    claims = [decide(spec, runs, debug) for spec in study.claims]
    folder.mkdir(parents=True, exist_ok=True)
    write_claims(folder / "claims.json", claims)
    print_claims(claims)
    print(", ".join(f"{count} {verdict}" for verdict, count in count_verdicts(claims).items()))
    for run_name, reason in runs.absent.items():
        print(f"run {run_name}: {reason}")
    report = write_study_report(study, points, runs, claims, folder, debug)
    print(f"report: {report}")
    return claims


def read_runs(points: Sequence[Point], absent: Mapping[str, str]) -> StudyRuns:
    """The runs that are not absent. One that cannot be read is absent too."""
    there: dict[str, Run] = {}
    missing = dict(absent)
    for point in points:
        if point.name not in absent:
            try:
                there[point.name] = read_run(point.directory, point.name).require_rows()
            except UsageError as error:
                missing[point.name] = str(error)
    return StudyRuns(there, missing)


def decide(spec: ClaimSpec, runs: StudyRuns, debug: bool = False) -> Claim:
    """Decide one claim; not_run, with the reason, where that is not possible."""
    head = (spec.id, spec.source, spec.claim, spec.criterion.expectation())
    try:
        found = spec.criterion.decide(runs)
    except NotRun as error:
        return Claim(*head, None, None, None, 0, "not_run", str(error))
    except Exception as error:  # one claim must not take the report with it
        if debug:
            traceback.print_exception(error)
        reason = f"{type(error).__name__}: {error} (--debug shows where)"
        print(f"claim {spec.id}: not run: {reason}", file=sys.stderr)
        return Claim(*head, None, None, None, 0, "not_run", reason)
    low, high = found.low, found.high
    return Claim(*head, found.value, low, high, found.seeds, found.verdict, found.note)
