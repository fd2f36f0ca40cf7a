"""The claims of a study, decided by the runs that are there."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from experiments.errors import UsageError
from experiments.reporting.claims import Claim, NotRun
from experiments.runs.provenance import stale_reason
from experiments.runs.run import Run, read_run
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import as_one, parts_of
from experiments.studies.failures import reason_of
from experiments.studies.runs import StudyRuns, matching, names_in
from experiments.studies.spec import ClaimSpec
from experiments.sweeps.points import Point

Head = tuple[str, str, str, float | str]  # of a Claim: what the study says


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
        return _not_run(head, str(error))
    except Exception as error:
        reason = reason_of(error, debug)
        print(f"claim {spec.id}: not run: {reason}", file=sys.stderr)
        return _not_run(head, reason)
    return Claim(
        *head,
        measured=found.value,
        low=found.low,
        high=found.high,
        seeds=found.seeds,
        verdict=found.verdict,
        note=found.note,
        p=found.p,
        exact=found.exact,
    )


def _not_run(head: Head, reason: str) -> Claim:
    return Claim(
        *head, measured=None, low=None, high=None, seeds=0, verdict="not_run", note=reason
    )  # fmt: skip
