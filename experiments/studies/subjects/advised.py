"""The cases of a study of advice: runs that differ in num_steps alone, and the advice for them.

The advice of a case is measured once and kept in reports/advice/, until the code that decides it is
another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.config.schema import Config
from experiments.console import quietly
from experiments.errors import UsageError
from experiments.paths import REPORTS
from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.statistics.floors import middle
from experiments.studies.subjects.time_per_step import step_seconds_of

LAST = 0.1  # of the time: the loss at its end is the mean over this part
LEARNED_WITHIN = 0.1  # nats of the best, where a task has no two floors to learn between


class Case(NamedTuple):
    """Runs that differ in num_steps alone, from narrow to wide."""

    runs: tuple[Run, ...]

    @property
    def config(self) -> Config:
        """The config of the narrowest run, which advice is asked for."""
        return self.runs[0].config

    @property
    def lag(self) -> int | None:
        """The longest dependency; None where the task names none."""
        lags = [*self.config.task.dependency_lags, getattr(self.config.task, "lag", None)]
        return max((lag for lag in lags if lag is not None), default=None)

    def nearest(self, effective_depth: int) -> Run:
        """The run whose effective depth is nearest on a logarithmic scale."""
        return min(self.runs, key=lambda run: abs(np.log(run.effective_depth / effective_depth)))

    def losses_after_equal_time(self) -> list[float]:
        """The loss of each run when the quickest one ends, by the least disturbed rows of each."""
        ends = [_step_seconds(run) * float(run.curves.time_steps[-1]) for run in self.runs]
        return [_loss_at(run, min(ends)) for run in self.runs]

    def learned(self) -> list[Run]:
        """The runs whose final loss is below the middle of their floors, or near the best."""
        finals = [run.final_loss.mean for run in self.runs]
        limit = middle(self.runs[0].floors)
        if limit is None:
            limit = min(finals) + LEARNED_WITHIN
        return [run for run, final in zip(self.runs, finals, strict=True) if final < limit]


def _step_seconds(run: Run) -> float:
    return float(np.median(step_seconds_of(run)))


def _loss_at(run: Run, seconds: float) -> float:
    """The mean training loss over the last part of these seconds."""
    at = _step_seconds(run) * run.curves.time_steps
    there = (at <= seconds) & (at >= (1 - LAST) * seconds)
    if not there.any():
        raise NotRun(f"run {run.label}: no row near {seconds:.1f} s")
    return float(np.nanmean(run.curves.losses[:, there]))


def cases_of(runs: Sequence[Run]) -> list[Case]:
    """The runs, grouped by everything but num_steps."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        content = run.config.settings()
        del content["graph"]["num_steps"]
        groups.setdefault(json.dumps(content, sort_keys=True), []).append(run)
    return [
        Case(tuple(sorted(group, key=lambda run: run.config.graph.num_steps)))
        for group in groups.values()
    ]


def advice_for(case: Case, budget: float, tolerance: float) -> dict[str, Any]:
    """The content of advice.json for a case, measured now unless this code has recorded it."""
    from experiments.advice.advise import AdviseOptions, run  # TensorFlow takes seconds to import
    from experiments.advice.answer import code

    options = AdviseOptions(folder_of(case.config, budget, tolerance), budget, tolerance)
    recorded = options.out / "advice.json"
    if _code_of(recorded) != code():
        print(f"advice for {case.runs[0].label}: {budget:.0f} s", flush=True)
        with quietly(True):
            try:
                run(case.config, ["config.yaml"], options)
            except UsageError as error:
                raise NotRun(f"advice for {case.runs[0].label}: {error}") from error
    content: dict[str, Any] = json.loads(recorded.read_text("utf-8"))
    return content


def _code_of(recorded: Path) -> str | None:
    """The code that a recorded advice was made by; None where there is none."""
    if not recorded.is_file():
        return None
    found = json.loads(recorded.read_text("utf-8")).get("code")
    return found if isinstance(found, str) else None


def folder_of(config: Config, budget: float, tolerance: float) -> Path:
    """The folder of the advice for a config under these options."""
    key = json.dumps([config.settings(), budget, tolerance], sort_keys=True)
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return REPORTS / "advice" / f"{config.name}-{digest}"
