"""Studies: their configs and their verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.reporting.claims import Claim, write_claims
from experiments.runs.directory import RunDirectory
from experiments.runs.run import read_run
from experiments.studies.study import FigureSpec, StudyConfig, decide, load_study, plan
from experiments.training import runner
from tests.conftest import small_config
from tests.handmade import finished_run


def thinned(study: StudyConfig) -> StudyConfig:
    """Only the corners of the grids, because checking a config takes a while."""
    grids = {
        name: grid.model_copy(
            update={"over": {key: (values[0], values[-1]) for key, values in grid.over.items()}}
        )
        for name, grid in study.grids.items()
    }
    return study.model_copy(update={"grids": grids})


@pytest.mark.parametrize("name", names("study"))
def test_every_shipped_study_loads_and_its_configs_are_valid(name: str) -> None:
    study = thinned(load_study(name))
    for run in study.all_runs.values():
        load_config(run.experiment, run.overrides)


@pytest.mark.parametrize("name", ["r2rt_part1", "copy_memory"])
def test_a_plan_has_every_run(name: str) -> None:
    study = load_study(name)
    assert [job.name for job in plan(study, ["training.seeds=1"])] == [*study.all_runs]


def test_unknown_study_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'r2rt_part1'"):
        load_study("r2rt_part2")


def test_a_wrong_override_stops_before_any_run() -> None:
    with pytest.raises(UsageError, match=r"graph\.num_steps"):
        plan(load_study("r2rt_part1"), ["graph.num_step=3"])


FIGURE = {"id": "a", "kind": "curves", "title": "t", "caption": "c"}


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (
            {"kind": "curve", "arguments": {"labels": {}}},
            "kind: expected one of curves, final_losses, time_per_step, by_depth, .*; got curve",
        ),
        ({"arguments": {}}, "arguments of curves: missing a required argument: 'labels'"),
        (
            {"arguments": {"labels": {}, "axes": "updates"}},
            "arguments of curves: got an unexpected keyword argument 'axes'",
        ),
    ],
)
def test_a_figure_must_be_one_that_can_be_drawn(figure: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FigureSpec.model_validate(FIGURE | figure)


@pytest.mark.parametrize("key", ["figures", "claims"])
def test_a_run_that_is_not_there_is_named_with_the_nearest(key: str) -> None:
    study = load_study("truncation_styles").model_dump(mode="json")
    arguments = study[key][0]["arguments"]
    if key == "figures":
        arguments["labels"]["tf72"] = "deep"
    else:
        arguments["run"] = "tf72"
    with pytest.raises(ValidationError, match=r"got tf72; did you mean 'tf27'"):
        StudyConfig.model_validate(study)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "run"
    runner.train(small_config("training.seeds=2"), path)
    return path


def test_claims_are_decided_by_the_runs(trained: Path) -> None:
    claims = {spec.id: spec for spec in load_study("r2rt_part1").claims}
    runs = {"n5_d4": read_run(RunDirectory(trained), "n5_d4")}
    floor = decide(claims["floor_none"], runs, {})
    assert floor.verdict == "holds"
    assert floor.measured == pytest.approx(0.661563238158, abs=1e-11)
    wrong = claims["floor_none"].model_copy(update={"expected": 0.6})
    assert decide(wrong, runs, {}).verdict == "fails"
    missing = decide(claims["n10_both"], runs, {"n10_d16": "killed"})
    assert (missing.verdict, missing.measured) == ("not_run", None)
    assert missing.note == "run n10_d16: killed"


def test_a_claim_on_updates_that_were_not_trained_is_not_run(tmp_path: Path) -> None:
    claims = {spec.id: spec for spec in load_study("r2rt_part1").claims}
    short = {"n5_d4": finished_run(tmp_path, "n5_d4", [[0.6, 0.5]])}
    claim = decide(claims["n5_printed"], short, {})
    assert (claim.verdict, claim.measured) == ("not_run", None)
    assert claim.note == "run n5_d4: no row of updates 801 to 900"


def test_a_run_of_one_row_cannot_be_timed(tmp_path: Path) -> None:
    claims = {spec.id: spec for spec in load_study("truncation_styles").claims}
    spec = claims["cost_true"]
    names = (spec.arguments["run"], spec.arguments["against"])
    short = {name: finished_run(tmp_path / name, name, [[0.6]]) for name in names}
    claim = decide(spec, short, {})
    assert claim.verdict == "not_run"
    assert claim.note == f"runs {names[0]} and {names[1]}: too short to time"


def test_a_single_seed_has_no_interval(tmp_path: Path) -> None:
    spec = load_study("r2rt_part1").claims[5]
    assert (spec.measure, spec.arguments["run"]) == ("final_loss", "n5_d4")
    claim = decide(spec, {"n5_d4": finished_run(tmp_path, "n5_d4", [[0.52]])}, {})
    assert (claim.verdict, claim.low, claim.high) == ("holds", None, None)


def test_claims_json_has_the_contracts_keys(tmp_path: Path) -> None:
    claim = Claim("a", "s", "c", 1.0, float("nan"), None, None, 3, "fails", "n")
    write_claims(tmp_path / "claims.json", [claim])
    (row,) = json.loads((tmp_path / "claims.json").read_text())
    keys = "id source claim expected measured low high seeds verdict"
    assert set(keys.split()) <= set(row)
    assert row["measured"] is None
