"""experiments/studies/runs.py: names of runs in YAML, and the runs that are there."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from experiments.reporting.claims import NotRun
from experiments.studies.runs import RunName, RunPattern, StudyRuns, hits, matching, names_in

NAMES = ["tf/2,gru", "tf/2,lstm", "true/2,gru", "n12"]


class Inner(BaseModel):
    cells: dict[str, tuple[RunName, ...]]


class Outer(BaseModel):
    title: str
    baseline: RunName
    drawn: dict[RunName, str]
    several: tuple[RunPattern, ...]
    inner: Inner | None = None


def test_names_are_found_at_any_depth_and_other_text_is_not() -> None:
    outer = Outer.model_validate(
        {
            "title": "n1", "baseline": "n2", "drawn": {"n3": "label"}, "several": ["tf/*"],
            "inner": {"cells": {"row": ["n4", "n5"]}},
        }
    )  # fmt: skip
    assert list(names_in(outer)) == ["n2", "n3", "tf/*", "n4", "n5"]


def test_patterns_stand_for_the_runs_that_match_once_each() -> None:
    patterns = [RunPattern(text) for text in ("tf/*", "*,gru", "n12")]
    assert matching(patterns, NAMES) == NAMES
    assert matching([RunPattern("n1?")], NAMES) == ["n12"]
    assert matching([RunPattern("tf/3*")], NAMES) == []


def test_a_name_stands_for_itself_alone() -> None:
    assert hits(RunName("n12"), NAMES) == ["n12"]
    assert hits(RunName("n*"), NAMES) == []


def test_a_name_with_brackets_is_no_pattern() -> None:
    names = ["g/[16,16]", "g/1", "g/32"]
    assert hits(RunPattern("g/[16,16]"), names) == ["g/[16,16]"]
    assert hits(RunPattern("g/[0-9]"), names) == ["g/1"]


def test_a_pattern_asks_for_absent_runs_too() -> None:
    runs = StudyRuns({}, {"n12": "killed"})
    assert "n12" not in runs
    with pytest.raises(NotRun, match="run n12: killed"):
        runs.matching([RunPattern("n*")])
