"""experiments/training/execution.py: each auto is decided once, and kept."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import RunError, UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import execution
from experiments.training.execution import ONEDNN, decide, executed, prepare_process
from experiments.training.workload import make_workload

NARROW = load_config("r2rt_n5")
# 8 steps of a GRU on the digits of scikit-learn.
WIDE = load_config("digits_small", ["model.state_size=700", "graph.batch_size=64"])


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported it yet, and may use two cores."""
    monkeypatch.setattr(execution, "imported_with_onednn", lambda: None)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")


def decided(config: Config, *overrides: str) -> dict[str, object]:
    changed = load_config(config.name, overrides) if overrides else config
    return execution.recorded(decide(changed, make_workload(changed)))


def test_a_narrow_model_has_one_thread_and_no_onednn() -> None:
    assert decided(NARROW) == {"xla": "off", "onednn": "off", "threads": 1}


def test_a_wide_model_has_onednn_and_the_cores_that_its_seeds_leave() -> None:
    assert decided(WIDE) == {"xla": "off", "onednn": "on", "threads": 2}
    two = WIDE.model_copy(update={"training": WIDE.training.model_copy(update={"seeds": 2})})
    assert decided(two)["threads"] == 1


@pytest.mark.parametrize(
    ("changed", "threads"),
    [
        ("model.cell=basic_lstm", 1),  # one product after the other
        ("model.cell=scratch_gru", 2),
        ("model.state_size=[700,700]", 2),
        ("model.bidirectional=true", 2),
    ],
)
def test_a_second_thread_needs_two_products_at_once(changed: str, threads: int) -> None:
    cell = [] if "cell" in changed else ["model.cell=basic_lstm"]
    more = ["graph.padding=sequence_length"] if "bidirectional" in changed else []
    size = ["model.state_size=700"] if "size" not in changed else []
    assert decided(WIDE, "graph.batch_size=64", *size, *cell, *more, changed)["threads"] == threads


def test_in_a_sweep_a_wide_model_leaves_the_other_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert decided(WIDE)["threads"] == 1


@pytest.mark.parametrize("threads", [1, 7, None])
def test_what_is_given_is_taken(threads: int | None) -> None:
    text = "null" if threads is None else threads
    given = decided(NARROW, f"execution.threads={text}", "execution.onednn=on", "execution.xla=on")
    assert given == {"xla": "on", "onednn": "on", "threads": threads}


class TestAProcess:
    def test_is_prepared_before_the_import(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for onednn, expected in (("on", "1"), ("off", "0")):
            monkeypatch.delenv(ONEDNN, raising=False)
            prepare_process(NARROW.execution.model_copy(update={"onednn": onednn}))
            assert os.environ[ONEDNN] == expected

    def test_that_has_imported_it_otherwise_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "imported_with_onednn", lambda: True)
        prepare_process(NARROW.execution.model_copy(update={"onednn": "on"}))
        with pytest.raises(RunError, match=r"execution\.onednn is off, but this process has"):
            prepare_process(NARROW.execution.model_copy(update={"onednn": "off"}))

    def test_auto_takes_what_has_been_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(execution, "imported_with_onednn", lambda: False)
        assert decided(WIDE)["onednn"] == "off"


def written(path: Path, content: dict[str, object], summary: dict[str, object]) -> RunDirectory:
    directory = RunDirectory(path)
    path.mkdir()
    directory.config.write_text(yaml.safe_dump(content))
    directory.write_summary(summary)
    return directory


def kept(config: Config, directory: RunDirectory) -> dict[str, object]:
    found = executed(config, make_workload(config), directory)
    return execution.recorded(found.execution)


class TestARunThatResumes:
    def test_keeps_what_was_recorded(self, tmp_path: Path) -> None:
        began = {"xla": "on", "onednn": "off", "threads": 2}
        directory = written(tmp_path / "run", NARROW.as_dict(), {"execution": began})
        assert kept(NARROW, directory) == began

    def test_of_an_earlier_version_keeps_what_that_did(self, tmp_path: Path) -> None:
        content = WIDE.as_dict()
        content["execution"] = {
            "loop": "in_graph", "iterations_per_loop": 500, "xla": "auto", "threads": 1,
        }  # fmt: skip
        directory = written(tmp_path / "run", content, {"xla": True})
        directory.check(WIDE, overwrite=False)  # the same run
        assert kept(WIDE, directory) == {"xla": "on", "onednn": "off", "threads": 1}

    def test_cannot_be_asked_for_another_number(self, tmp_path: Path) -> None:
        content = NARROW.as_dict()
        content["execution"]["threads"] = 1
        directory = written(tmp_path / "run", content, {})
        directory.check(NARROW, overwrite=False)
        other = load_config("r2rt_n5", ["execution.threads=2"])
        with pytest.raises(UsageError, match=r"execution\.threads = 1, this one has 2"):
            directory.check(other, overwrite=False)


def test_a_new_run_decides_for_itself(tmp_path: Path) -> None:
    assert kept(WIDE, RunDirectory(tmp_path / "none"))["onednn"] == "on"


def test_multiplications_are_those_of_every_weight() -> None:
    from experiments.training.xla import multiplications

    task = SimpleNamespace(num_inputs=3, num_classes=5)
    config = load_config(
        "r2rt_n5", ["model.cell=lstm", "model.state_size=[7,11]", "graph.batch_size=2"]
    )
    weights = (3 + 7) * 4 * 7 + (7 + 11) * 4 * 11 + 11 * 5
    assert multiplications(config, task) == weights * 5 * 2
