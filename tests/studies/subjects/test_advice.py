"""Criteria of the study of advice, on runs and advice made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.advice import advise
from experiments.advice.advise import AdviseOptions
from experiments.advice.answer import code
from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.studies.runs import RunPattern, StudyRuns
from experiments.studies.subjects import advised
from experiments.studies.subjects.advice import (
    AdviceAdmits,
    AdviceIsCheap,
    AdviceIsNearBest,
    AdviceReaches,
)
from experiments.studies.subjects.advised import advice_for, cases_of, folder_of
from tests.handmade import finished_run

GRID = (RunPattern("grid-*"),)
WIDTHS = {6: 0.6, 24: 0.41, 96: 0.405}  # final losses; floors are 0.6 and 0.4


@pytest.fixture
def runs(tmp_path: Path) -> StudyRuns:
    there: dict[str, Run] = {}
    for width, loss in WIDTHS.items():
        keys = [f"graph.num_steps={width}", "truncation.kind=tf_style"]
        name = f"grid-{width}"
        there[name] = finished_run(tmp_path, name, [[0.65] + [loss] * 9], overrides=keys)
    return StudyRuns(there)


def give(
    monkeypatch: pytest.MonkeyPatch, folder: Path, runs: StudyRuns, content: dict[str, Any]
) -> None:
    """Record advice for the one case of these runs."""
    monkeypatch.setattr(advised, "REPORTS", folder)
    (case,) = cases_of([*runs.there.values()])
    out = folder_of(case.config, 60, 0.5)
    out.mkdir(parents=True)
    (out / "advice.json").write_text(json.dumps({"code": code()} | content), "utf-8")


def test_advice_by_other_code_is_measured_again(
    runs: StudyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, tmp_path / "reports", runs, {"code": "other", "advised": None})
    measured: list[Path] = []

    def run(_config: object, _command: object, options: AdviseOptions) -> None:
        measured.append(options.out)
        (options.out / "advice.json").write_text(json.dumps({"code": code()}), "utf-8")

    monkeypatch.setattr(advise, "run", run)
    (case,) = cases_of([*runs.there.values()])
    for _ in range(2):
        assert advice_for(case, 60, 0.5) == {"code": code()}
    assert measured == [folder_of(case.config, 60, 0.5)]


def setting(depth: int, cost: float) -> dict[str, Any]:
    return {"effective_depth": depth, "microseconds_per_symbol": cost}


def test_runs_that_differ_in_num_steps_are_one_case(runs: StudyRuns) -> None:
    (case,) = cases_of([*runs.there.values()])
    assert [run.config.graph.num_steps for run in case.runs] == [6, 24, 96]
    assert case.lag == 17
    assert case.nearest(30).config.graph.num_steps == 24
    assert case.nearest(70).config.graph.num_steps == 96
    assert [run.config.graph.num_steps for run in case.learned()] == [24, 96]
    assert case.losses_after_equal_time() == pytest.approx([0.6, 0.41, 0.405])


@pytest.mark.parametrize(("depth", "verdict"), [(17, "fails"), (18, "holds")])
def test_an_advice_must_reach_the_lag(
    depth: int, verdict: str, runs: StudyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"advised": setting(depth, 1), "own": setting(6, 1)}
    give(monkeypatch, tmp_path / "reports", runs, content)
    found = AdviceReaches(names=GRID, at_least=0.95).decide(runs)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("depth", "within", "verdict"),
    [(96, 0.001, "holds"), (24, 0.01, "holds"), (24, 0.001, "fails"), (6, 0.1, "fails")],
)
def test_the_nearest_run_of_the_grid_must_be_near_the_best(
    depth: int,
    within: float,
    verdict: str,
    runs: StudyRuns,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = {"advised": setting(depth, 1), "own": setting(6, 1)}
    give(monkeypatch, tmp_path / "reports", runs, content)
    criterion = AdviceIsNearBest(names=GRID, at_least=0.8, within=within)
    assert criterion.decide(runs).verdict == verdict


@pytest.mark.parametrize(("cost", "verdict"), [(1.4, "holds"), (1.6, "fails")])
def test_its_cost_is_against_the_cheapest_run_that_learned(
    cost: float, verdict: str, runs: StudyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"advised": setting(24, cost), "own": setting(6, 1)}
    give(monkeypatch, tmp_path / "reports", runs, content)
    found = AdviceIsCheap(names=GRID, at_most=1.5).decide(runs)
    assert found.value == pytest.approx(cost)
    assert found.verdict == verdict


def test_no_advice_is_an_admission_and_reaches_nothing(
    runs: StudyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, tmp_path / "reports", runs, {"advised": None, "own": setting(6, 1)})
    assert AdviceAdmits(names=GRID, at_least=1).decide(runs).verdict == "holds"
    assert AdviceReaches(names=GRID, at_least=0.95).decide(runs).verdict == "fails"
    with pytest.raises(NotRun, match="no case has advice"):
        AdviceIsCheap(names=GRID, at_most=1.5).decide(runs)


def test_runs_of_one_row_are_too_short_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = StudyRuns({"grid-6": finished_run(tmp_path, "grid-6", [[0.41]])})
    give(monkeypatch, tmp_path / "reports", runs, {"advised": setting(6, 1), "own": setting(6, 1)})
    with pytest.raises(NotRun, match="run grid-6: too short to time"):
        AdviceIsCheap(names=GRID, at_most=1.5).decide(runs)
