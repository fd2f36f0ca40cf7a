"""`run.py diff`: what two runs differ in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import run
from data.task import Source
from experiments.runs.data_identity import DataIdentity, write_identity
from experiments.runs.difference import FirstDifference, difference
from tests.handmade import finished_run

Capture = pytest.CaptureFixture[str]


def test_equal_runs_differ_in_nothing(tmp_path: Path) -> None:
    one, two = (finished_run(tmp_path, name, [[0.5, 0.4]]) for name in ("one", "two"))
    found = difference(one, two)
    assert (found.config, found.environment, found.rows) == ({}, {}, {0: None})


def test_seconds_are_not_compared(tmp_path: Path) -> None:
    one = finished_run(tmp_path, "one", [[0.5]], step_seconds=[1e-6])
    two = finished_run(tmp_path, "two", [[0.5]], step_seconds=[2e-6])
    assert difference(one, two).rows == {0: None}


def test_config_keys_and_versions_that_differ(tmp_path: Path) -> None:
    one = finished_run(tmp_path, "one", [[0.5]])
    two = finished_run(tmp_path, "two", [[0.5]], overrides=["graph.num_steps=18"])
    one.summary["versions"] = {"numpy": "2.1", "python": "3.11"}
    two.summary["versions"] = {"numpy": "2.2", "python": "3.11"}
    two.summary["git_commit"] = "abc"
    found = difference(one, two)
    assert found.config == {"graph.num_steps": (54, 18)}
    assert found.environment == {"versions.numpy": ("2.1", "2.2"), "git_commit": (None, "abc")}


def test_code_and_execution_that_differ(tmp_path: Path) -> None:
    one, two = (finished_run(tmp_path, name, [[0.5]]) for name in ("one", "two"))
    one.summary.update({"code": "a", "execution": {"xla": "on", "onednn": "off", "threads": 1}})
    two.summary.update({"code": "b", "execution": {"xla": "on", "onednn": "on", "threads": 2}})
    assert difference(one, two).environment == {
        "code": ("a", "b"), "execution.onednn": ("off", "on"), "execution.threads": (1, 2),
    }  # fmt: skip


def test_one_path_with_other_content_is_a_difference(tmp_path: Path) -> None:
    one, two = (finished_run(tmp_path, name, [[0.5]]) for name in ("one", "two"))
    for run_of, digest in ((one, "1" * 64), (two, "2" * 64)):
        source = Source("book.txt", digest)
        write_identity(run_of.directory, DataIdentity((source,), None, ()))
    assert difference(one, two).environment == {"data": ("111111111111", "222222222222")}


def test_the_first_row_that_differs_is_named_for_each_seed(tmp_path: Path) -> None:
    one = finished_run(tmp_path, "one", [[0.5, 0.4, 0.3], [0.5, 0.4, 0.3], [0.5]])
    two = finished_run(tmp_path, "two", [[0.5, 0.41, 0.3], [0.5, 0.4]])
    found = difference(one, two)
    assert found.rows == {
        0: FirstDifference(20, "train", "loss", (0.4, 0.41)),
        1: FirstDifference(30, "train", "row", (True, False)),
    }
    assert found.seeds == ([2], [])
    assert found.final_losses == {0: (0.3, 0.3), 1: (0.3, 0.4), 2: (0.5, None)}


@pytest.fixture
def two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path, "one", [[0.5, 0.4], [0.5]])
    finished_run(tmp_path, "two", [[0.5, 0.41], [0.5]], overrides=["graph.num_steps=18"])


@pytest.mark.usefixtures("two_runs")
def test_it_prints_tables(capsys: Capture) -> None:
    assert run.main(["diff", "one", "two"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["graph.num_steps", "54", "18"] in lines
    assert ["environment:", "no", "difference"] in lines
    expected = "metrics.csv, seed 0: first difference at update 20, train: loss 0.4 and 0.41"
    assert expected.split() in lines
    assert ["0", "0.4000", "0.4100"] in lines


@pytest.mark.usefixtures("two_runs")
def test_or_json(capsys: Capture) -> None:
    assert run.main(["diff", "one", "two", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == ["one", "two"]
    assert found["config"] == {"graph.num_steps": [54, 18]}
    assert found["first_difference"]["0"]["values"] == [0.4, 0.41]
    assert found["first_difference"]["1"] is None
    assert found["final_loss"]["0"] == [0.4, 0.41]
