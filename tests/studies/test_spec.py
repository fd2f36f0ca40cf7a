"""experiments/studies/spec.py: what a study's YAML may say, and how its mistakes are named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.config.own_cells import register_cells
from experiments.errors import UsageError
from experiments.reporting.claims import Finding
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion
from experiments.studies.registry import CRITERIA
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.spec import ClaimSpec, FigureSpec, StudyConfig, load_study
from tests.conftest import ROOT
from tests.studies.small_study import FIGURE, RUNS, study_of


def thinned(study: StudyConfig) -> StudyConfig:
    """Only the corners of the grids, because checking a config takes a while."""
    grids = {
        name: grid.model_copy(
            update={"over": {key: (values[0], values[-1]) for key, values in grid.over.items()}}
        )
        for name, grid in study.grids.items()
    }
    return study.model_copy(update={"grids": grids})


@pytest.mark.usefixtures("known_cells")
@pytest.mark.parametrize("name", names("study"))
def test_every_shipped_study_loads_and_its_configs_are_valid(name: str) -> None:
    study = thinned(load_study(name))
    if named := re.search(r"--cells (\S+)", study.description):
        register_cells(ROOT / named[1])
    for each in study.all_runs.values():
        load_config(each.source, each.overrides)


def test_unknown_study_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'r2rt_part1'"):
        load_study("r2rt_prat1")


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (
            {"kind": "curve", "arguments": {"labels": {}}},
            "kind: not known: curve; did you mean 'curves'",
        ),
        ({"arguments": {}}, "arguments of curves: labels: this key is needed"),
        (
            {"arguments": {"labels": {"a": "b"}, "axes": "updates"}},
            "arguments of curves: axes: unknown key; did you mean 'axis'",
        ),
        ({"arguments": None}, "a: arguments: expected a mapping, got NoneType"),
        ({"arguments": {"labels": {"a": "b"}, "axis": "epochs"}}, "expected 'updates', .*'epochs'"),
    ],
)
def test_a_figure_must_be_one_that_can_be_drawn(figure: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FigureSpec.model_validate(FIGURE | figure)


def test_a_claim_names_its_criterion() -> None:
    with pytest.raises(ValidationError, match=r"criterion\n  Field required"):
        ClaimSpec.model_validate(
            {"id": "a", "source": "s", "claim": "c", "arguments": {"run": "a"}}
        )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("final_loss", {"run": "tf72", "expected": 1, "tolerance": 1}),
        ("lowers_loss", {"run": "tf9", "against": "tf72"}),
        ("curves_agree", {"names": ["tf9", "tf72"], "tolerance": 1}),
        ("curves", {"labels": {"tf72": "deep"}}),
        (
            "validation_table",
            {
                "rows": {"r": ["tf9", "tf72"]},
                "columns": ["x", "y"],
                "minima": {"tf9": 1, "tf72": 1},
            },
        ),
    ],
)
def test_a_run_that_is_not_there_is_named_with_the_nearest(
    name: str, arguments: dict[str, Any]
) -> None:
    message = r"a: expected one of the runs tf9, tf27, n/…; got tf72; did you mean 'tf27'"
    with pytest.raises(ValidationError, match=message):
        study_of(name, **arguments)


def test_a_run_name_is_checked_whatever_its_field_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class BesideTheBaseline(Criterion):
        """One file adds it: nothing else knows its fields."""

        baseline: RunName

        def expectation(self) -> str:
            return "beside it"

        def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
            raise NotImplementedError

    monkeypatch.setitem(CRITERIA, BesideTheBaseline.kind(), BesideTheBaseline)
    study_of("beside_the_baseline", baseline="tf9")
    with pytest.raises(ValidationError, match="got tf8; did you mean 'tf9'"):
        study_of("beside_the_baseline", baseline="tf8")


def test_a_pattern_stands_for_runs_of_a_grid_and_must_find_some() -> None:
    study_of("curves_agree", names=["n/*"], tolerance=1)
    with pytest.raises(ValidationError, match=r"expected one of the runs .*; got m/\*"):
        study_of("curves_agree", names=["m/*"], tolerance=1)


def test_a_name_that_is_no_pattern_is_not_taken_for_one() -> None:
    with pytest.raises(ValidationError, match=r"got n/\*"):
        study_of("final_loss", run="n/*", expected=1, tolerance=1)


def test_every_id_is_there_once() -> None:
    figure = FIGURE | {"arguments": {"labels": {"tf9": "a"}}}
    content = {"description": "d", "title": "t", "introduction": "i", "runs": RUNS, "claims": []}
    with pytest.raises(ValidationError, match="id a: 2 have this name"):
        StudyConfig.model_validate(content | {"figures": [figure, figure]})
