"""A study with one claim on runs that are there, as YAML: to save, to edit, to reproduce."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from experiments.config.compose import validate
from experiments.config.yaml_file import dump_yaml
from experiments.errors import UsageError
from experiments.reporting.claims import NotRun
from experiments.reporting.report import interval_text, shown
from experiments.runs.run import Run, read_run
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import StudyConfig

TOLERANCE = 0.01  # nats per time step, where none is asked for


def final_loss(path: Path, loss: float, tolerance: float) -> str:
    """The claim that a run's final loss is `loss`. Raises UsageError."""
    run = _complete_run(path)
    name = _name(run)
    claim = {
        "id": "final_loss",
        "source": "your own",
        "claim": f"{name} ends at a loss of {loss:g}, within {tolerance:g}.",
        "criterion": "final_loss",
        "arguments": {
            "run": name, "expected": loss, "expected_is": "exact", "tolerance": tolerance,
        },
    }  # fmt: skip
    return _draft({name: run}, claim)


def difference(path: Path, other: Path) -> str:
    """The claim that a run's final loss is below another's. Raises UsageError."""
    if path.resolve() == other.resolve():
        raise UsageError(f"--below {other}: expected another run than {path}")
    run, against = (_complete_run(each) for each in (path, other))
    name, other_name = _name(run), _name(against)
    if name == other_name:
        other_name += "_other"
    claim = {
        "id": "lowers_loss",
        "source": "your own",
        "claim": f"{name} ends at a lower loss than {other_name}.",
        "criterion": "lowers_loss",
        "arguments": {"run": name, "against": other_name},
    }
    return _draft({name: run, other_name: against}, claim)


def _complete_run(path: Path) -> Run:
    """A run that `reproduce` would decide claims by. Raises UsageError."""
    run = read_run(path)
    if run.status != "complete":
        raise UsageError(f"{path}: expected a complete run; it is {run.status}")
    return run.require_rows()


def _draft(runs: dict[str, Run], claim: dict[str, Any]) -> str:
    """The study as YAML, checked as `reproduce` would, with today's verdict as a comment."""
    content = {
        "description": claim["claim"],
        "title": claim["claim"],
        "runs": {name: {"run_dir": str(run.directory.path)} for name, run in runs.items()},
        "claims": [claim],
    }
    study: StudyConfig = validate(StudyConfig, content, "claim")
    problem = study.problem({name: run.config for name, run in runs.items()})
    if problem:
        raise UsageError(problem)
    try:
        found = study.claims[0].criterion.find(StudyRuns(runs))
    except NotRun as error:
        raise UsageError(str(error)) from error
    ends = interval_text(found.low, found.high)
    interval = f" ({ends})" if ends else ""
    seeds = "1 seed" if found.seeds == 1 else f"{found.seeds} seeds"
    today = f"# Today: {found.verdict}, {shown(found.value)}{interval}, {seeds}.\n"
    if found.note:
        today += f"# {found.note}\n"
    return today + dump_yaml(content, allow_unicode=True, width=100)


def _name(run: Run) -> str:
    """A name for a run in its study: its experiment and its folder."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{run.config.name}_{run.directory.path.name}").strip("_")
