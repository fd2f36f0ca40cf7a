"""A study: runs, figures over them, and claims that they decide; one report."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from experiments.catalog import nearest, path_of, unknown
from experiments.claims import Claim, Measured, Verdict, write_claims
from experiments.compose import load_config, load_yaml, override_name, validate
from experiments.errors import UsageError
from experiments.figures import FIGURES
from experiments.finished import FinishedRun, read_run
from experiments.measures import MEASURES
from experiments.run_directory import ROOT, RunDirectory
from experiments.workers import Job, run_jobs
from experiments.workload import make_workload
from rnn_graphs.config import Section


class RunSpec(Section):
    """One run of a study."""

    experiment: str
    overrides: tuple[str, ...] = ()


class FigureSpec(Section):
    """One figure; `kind` names a function of experiments/figures.py."""

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
    """One claim; `measure` names a function of experiments/measures.py."""

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

    description: str
    title: str
    introduction: str
    runs: dict[str, RunSpec]
    figures: tuple[FigureSpec, ...]
    claims: tuple[ClaimSpec, ...]

    @model_validator(mode="after")
    def _runs_are_there(self) -> StudyConfig:
        specs: tuple[FigureSpec | ClaimSpec, ...] = (*self.figures, *self.claims)
        for spec in specs:
            for name in runs_named(spec.arguments):
                if name not in self.runs:
                    raise ValueError(
                        f"{spec.id}: expected one of the runs {', '.join(self.runs)}; got {name}"
                        f"{nearest(name, self.runs)}"
                    )
        return self


def runs_named(arguments: Mapping[str, Any]) -> list[str]:
    """The runs that a figure or a claim asks for."""
    single = [arguments[key] for key in ("run", "against") if key in arguments]
    return [*single, *arguments.get("names", ()), *arguments.get("labels", ())]


def load_study(name: str) -> StudyConfig:
    """The checked study. Raises UsageError."""
    path = path_of("study", name)
    if not path.is_file():
        raise UsageError(unknown("study", name))
    study: StudyConfig = validate(StudyConfig, load_yaml(path), str(path))
    return study


def plan(study: StudyConfig, overrides: Sequence[str]) -> list[Job]:
    """The study's runs, every config checked before the first one starts."""
    jobs = []
    for name, spec in study.runs.items():
        changes = (*spec.overrides, *overrides)
        config = load_config(spec.experiment, changes)
        make_workload(config)  # raises where the data are missing or do not fit
        directory = ROOT / config.name / override_name(changes)
        jobs.append(Job(name, spec.experiment, changes, directory))
    return jobs


def reproduce(name: str, overrides: Sequence[str], workers: int | None, out: Path | None) -> int:
    """Train what is missing, decide the claims, write the report. Returns the exit code."""
    study = load_study(name)
    jobs = plan(study, overrides)
    missing = [job for job in jobs if not _is_complete(job.directory)]
    print(f"{name}: {len(jobs)} runs, {len(jobs) - len(missing)} of them there already", flush=True)
    outcomes = run_jobs(missing, workers or os.cpu_count() or 1)
    failed = {outcome.job.name: outcome.reason for outcome in outcomes if outcome.exit_code != 0}
    runs = {
        job.name: read_run(RunDirectory(job.directory), job.name)
        for job in jobs
        if job.name not in failed
    }
    claims = [decide(spec, runs, failed) for spec in study.claims]
    folder = out or Path("reports") / name
    from experiments.study_report import print_claims, write_study_report

    folder.mkdir(parents=True, exist_ok=True)
    write_claims(folder / "claims.json", claims)
    print_claims(claims)
    for run_name, reason in failed.items():
        print(f"run {run_name} failed: {reason}")
    report = write_study_report(study, jobs, runs, claims, folder)
    print(f"report: {report}")
    return 1 if failed or any(claim.verdict != "holds" for claim in claims) else 0


def decide(spec: ClaimSpec, runs: Mapping[str, FinishedRun], failed: Mapping[str, str]) -> Claim:
    """Measure one claim; not_run where a run that it needs is not there."""
    try:
        found: Measured | None = MEASURES[spec.measure](runs, spec.expected, **spec.arguments)
    except KeyError as error:
        if error.args[0] not in failed:
            raise
        found = None
    head = (spec.id, spec.source, spec.claim, spec.expected)
    if found is None:
        return Claim(*head, None, None, None, 0, "not_run", "a run that it needs failed")
    verdict: Verdict = "holds" if found.holds else "fails"
    return Claim(*head, found.value, found.low, found.high, found.seeds, verdict, found.note)


def _is_complete(path: Path) -> bool:
    return RunDirectory(path).read_summary().get("status") == "complete"
