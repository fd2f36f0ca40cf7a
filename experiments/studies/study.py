"""A study: runs, figures over them, and claims that they decide; one report."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from experiments.config.catalog import nearest, path_of, unknown
from experiments.config.compose import load_config, load_yaml, validate
from experiments.errors import Interrupted, UsageError
from experiments.reporting.claims import Claim, NotMeasured, Verdict, write_claims
from experiments.runs.directory import RunDirectory
from experiments.runs.run import Run, read_run
from experiments.studies.criteria import MEASURES
from experiments.studies.figures import FIGURES
from experiments.studies.grid import GridSpec, RunSpec, runs_named, with_runs
from experiments.studies.recorded import find_recorded
from experiments.sweeps.launcher import train_missing
from experiments.sweeps.points import Point, Result, check, read_results
from experiments.training.runner import default_directory
from rnn_graphs.config import Section


class FigureSpec(Section):
    """One figure; `kind` names a function of experiments/studies/figures.py."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    kind: str
    title: str
    caption: str
    arguments: dict[str, Any]

    @model_validator(mode="after")
    def _kind_takes_the_arguments(self) -> FigureSpec:
        check_call("kind", FIGURES, self.kind, self.title, self.arguments)
        return self


class ClaimSpec(Section):
    """One claim; `measure` names a function of experiments/studies/criteria.py."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    source: str
    claim: str
    expected: float | str
    measure: str
    arguments: dict[str, Any]

    @model_validator(mode="after")
    def _measure_takes_the_arguments(self) -> ClaimSpec:
        check_call("measure", MEASURES, self.measure, self.expected, self.arguments)
        return self


def check_call(
    key: str,
    functions: Mapping[str, Callable[..., object]],
    name: str,
    second: object,
    arguments: Mapping[str, Any],
) -> None:
    """See that `key` names one of the functions and that it takes these arguments.

    Raises ValueError. The first argument is the runs, which are not there yet.
    """
    if name not in functions:
        raise ValueError(f"{key}: expected one of {', '.join(functions)}; got {name}")
    try:
        inspect.signature(functions[name]).bind({}, second, **arguments)
    except TypeError as error:
        raise ValueError(f"arguments of {name}: {error}") from error


class StudyConfig(Section):
    """configs/study/NAME.yaml."""

    # The folder of experiments/studies/recordings/ that stands in for runs which are not in runs/.
    recorded: str | None = None
    description: str
    title: str
    introduction: str
    runs: dict[str, RunSpec] = Field(default_factory=dict)
    grids: dict[str, GridSpec] = Field(default_factory=dict)
    figures: tuple[FigureSpec, ...]
    claims: tuple[ClaimSpec, ...]

    @property
    def all_runs(self) -> dict[str, RunSpec]:
        """The runs by name, those of the grids included."""
        runs = dict(self.runs)
        for name, grid in self.grids.items():
            runs |= grid.runs(name)
        return runs

    @model_validator(mode="after")
    def _runs_are_there(self) -> StudyConfig:
        specs: tuple[FigureSpec | ClaimSpec, ...] = (*self.figures, *self.claims)
        known = self.all_runs
        there = ", ".join([*self.runs, *(f"{grid}/…" for grid in self.grids)])
        for spec in specs:
            for name in runs_named(with_runs(spec.arguments, known)):
                if name not in known:
                    raise ValueError(
                        f"{spec.id}: expected one of the runs {there}; got {name}"
                        f"{nearest(name, known)}"
                    )
        return self


def load_study(name: str) -> StudyConfig:
    """The checked study. Raises UsageError."""
    path = path_of("study", name)
    if not path.is_file():
        raise UsageError(unknown("study", name))
    study: StudyConfig = validate(StudyConfig, load_yaml(path), str(path))
    return study


def plan(study: StudyConfig, overrides: Sequence[str]) -> list[Point]:
    """The study's runs and where they are, every one checked before the first one starts.

    A run that was recorded is read from there, unless it is complete here.
    """
    points, here = [], []
    for name, spec in study.all_runs.items():
        changes = (*spec.overrides, *overrides)
        config = load_config(spec.experiment, changes)
        point = Point(name, changes, config, default_directory(config, changes))
        recorded = find_recorded(study.recorded, name, config) if study.recorded else None
        if recorded and not RunDirectory(point.directory).is_complete():
            point = point._replace(directory=recorded)
        else:
            here.append(point)
        points.append(point)
    check(here)
    return points


def reproduce(name: str, overrides: Sequence[str], workers: int | None, out: Path | None) -> int:
    """Train what is missing, decide the claims, write the report. Returns the exit code.

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
            _report(study, points, left, folder)
        raise
    failed = _not_complete(results)
    claims = _report(study, points, failed, folder)
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
    study: StudyConfig, points: Sequence[Point], absent: Mapping[str, str], folder: Path
) -> list[Claim]:
    """Decide the claims from the runs that are there; `absent` says why the others are not."""
    from experiments.studies.report import print_claims, write_study_report

    runs = {
        point.name: read_run(point.directory, point.name).require_rows()
        for point in points
        if point.name not in absent
    }
    claims = [decide(spec, runs, absent) for spec in study.claims]
    folder.mkdir(parents=True, exist_ok=True)
    write_claims(folder / "claims.json", claims)
    print_claims(claims)
    for run_name, reason in absent.items():
        print(f"run {run_name}: {reason}")
    report = write_study_report(study, points, runs, claims, folder)
    print(f"report: {report}")
    return claims


def decide(spec: ClaimSpec, runs: Mapping[str, Run], absent: Mapping[str, str]) -> Claim:
    """Measure one claim; not_run where a run is `absent` or too short, with the reason."""
    head = (spec.id, spec.source, spec.claim, spec.expected)
    arguments = with_runs(spec.arguments, [*runs, *absent])
    try:
        found = MEASURES[spec.measure](runs, spec.expected, **arguments)
    except KeyError as error:
        name = error.args[0]
        if name not in absent:
            raise
        return Claim(*head, None, None, None, 0, "not_run", f"run {name}: {absent[name]}")
    except NotMeasured as error:
        return Claim(*head, None, None, None, 0, "not_run", str(error))
    verdict: Verdict = "holds" if found.holds else "fails"
    return Claim(*head, found.value, found.low, found.high, found.seeds, verdict, found.note)
