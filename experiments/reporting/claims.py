"""Claims: what somebody said, what was measured, and whether it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from experiments.runs.files import write_atomic

Verdict = Literal["holds", "fails", "not_run"]


class NotMeasured(Exception):
    """The runs do not have what a claim asks about; says what is missing."""


class Measured(NamedTuple):
    """What a measure found."""

    value: float | str
    low: float | None  # of the interval or range that `note` names
    high: float | None
    seeds: int
    holds: bool
    note: str  # how to read value, low and high


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
    verdict: Verdict
    note: str

    @property
    def is_exact(self) -> bool:
        """Whether its numbers follow from the config alone, with no seed in them."""
        return not self.seeds and self.verdict != "not_run"


def write_claims(path: Path, claims: Sequence[Claim]) -> None:
    """claims.json: a list of objects."""
    rows = [{key: _plain(value) for key, value in claim._asdict().items()} for claim in claims]
    write_atomic(path, json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    """JSON has no nan."""
    return None if isinstance(value, float) and value != value else value
