"""experiments/studies/points.py: the runs of a study, all checked before the first is trained."""

from __future__ import annotations

from typing import Any

import pytest

import run
from experiments.errors import UsageError
from experiments.studies.points import check_entries, configs_of, plan
from experiments.studies.spec import StudyConfig, load_study
from tests.studies.small_study import study_of


@pytest.mark.parametrize("name", ["r2rt_part1", "copy_memory"])
def test_a_plan_has_every_run(name: str) -> None:
    study = load_study(name)
    assert [job.name for job in plan(study, ["training.seeds=1"]).points] == [*study.all_runs]


def test_a_study_of_an_own_cell_asks_for_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["reproduce", "r2rt_part2_own_cell"]) == 2
    assert "or a cell of --cells FILE.py; got 'weighted_gru'" in capsys.readouterr().err


def test_a_wrong_override_stops_before_any_run() -> None:
    with pytest.raises(UsageError, match=r"graph\.num_steps"):
        plan(load_study("r2rt_part1"), ["graph.num_step=3"])


def check_study(study: StudyConfig, *overrides: str) -> None:
    check_entries(study, overrides, configs_of(study, overrides))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "floor",
            {"run": "tf9", "known": "lag 71", "expected": 1, "tolerance": 1},
            "floors of run tf9, none, lag 17; got lag 71; did you mean 'lag 17'",
        ),
        (
            "learned",
            {"run": "tf9", "lags": [8], "others": []},
            "expected a lag of run tf9, 17; got 8",
        ),
        ("by_depth", {"labels": {"tf9": "a"}, "lag": 8}, "expected a lag of run tf9, 17; got 8"),
        (
            "curves",
            {"labels": {"tf9": "a"}, "published": {105: 0.6}},
            "run tf9: expected a row of metrics.csv at update 105; rows end every 10 updates "
            r"\(logging.every\) and at the last update, 2000",
        ),
        (
            "validation_table",
            {"rows": {"r": ["tf9"]}, "columns": ["x"], "minima": {"tf9": 1}},
            "run tf9: without training.validate_every it has no validation loss",
        ),
    ],
)
def test_what_a_study_names_is_checked_before_anything_is_trained(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"study “t”: a: .*{message}"):
        check_study(study_of(name, **arguments))


def test_an_override_may_take_away_what_a_claim_needs() -> None:
    arguments = {"run": "tf9", "first": 1991, "last": 2000, "expected": 1, "tolerance": 1}
    check_study(study_of("loss_of_updates", **arguments), "task.size=540000")
    late = arguments | {"first": 2001, "last": 2010}
    with pytest.raises(UsageError, match="and at the last update, 2000"):
        check_study(study_of("loss_of_updates", **late), "task.size=540000")


def test_a_run_that_is_not_valid_is_named() -> None:
    content = study_of().model_dump()
    content["runs"] = {"a": {"experiment": "r2rt_n5"}, "b": {"experiment": "r2rt_n5",
                       "overrides": ["task.siz=3"]}}  # fmt: skip
    study = StudyConfig.model_validate(content)
    with pytest.raises(UsageError, match=r"study “t”: run b: .* did you mean 'task.size'"):
        configs_of(study, ())
