"""Claims: the source of each, the measured value and the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from experiments.console import finite
from experiments.runs.files import write_atomic
from experiments.statistics.verdicts import Verdict

Outcome = Literal["holds", "fails", "undecided", "not_run"]


class NotRun(Exception):
    """The runs lack data that a claim or a figure needs; the message names it."""


class Finding(NamedTuple):
    """The result of a criterion."""

    value: float | str
    low: float | None  # of the interval or range that `note` names
    high: float | None
    seeds: int
    verdict: Verdict
    note: str  # how to read value, low and high
    p: float | None = None  # at most the level where it is decided; None: not tested
    exact: bool = False  # follows from the configs alone, nothing random or timed in it


class Claim(NamedTuple):
    """One row of claims.json (a contract: other programs read it)."""

    id: str
    source: str
    claim: str
    expected: float | str
    measured: float | str | None
    low: float | None
    high: float | None
    seeds: int
    verdict: Outcome
    note: str
    p: float | None = None  # None: not tested, or not run
    p_corrected: float | None = None  # by Holm's correction over the claims of the study
    verdict_corrected: Outcome | None = None  # None: as `verdict`, which needs no correction
    stale: str = ""  # why its runs are to be trained again; empty: they need not be
    exact: bool = False  # its numbers follow from the configs alone


def write_claims(path: Path, claims: Sequence[Claim]) -> None:
    """Write claims.json, a list of objects; a number that JSON lacks becomes null."""
    rows = [finite(claim._asdict()) for claim in claims]
    write_atomic(path, json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
