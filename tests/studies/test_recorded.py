"""experiments/studies/recorded.py: runs kept with the program, and studies that run in parts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.config.compose import load_config, load_configs
from experiments.config.schema import Config
from experiments.errors import Interrupted
from experiments.paths import RECORDINGS
from experiments.reporting.claims import Claim
from experiments.runs.run import read_run
from experiments.studies import points, spec, study
from experiments.studies.points import plan
from experiments.studies.recorded import find_recorded
from experiments.studies.report import print_study
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import StudyConfig, load_study
from experiments.studies.study import ReproduceOptions, reproduce
from experiments.sweeps.points import Point, Result, read_results
from tests.handmade import finished_run

SMALL = {"experiment": "lag_17"}
STUDY = {
    "recorded": "kept",
    "description": "d",
    "title": "t",
    "introduction": "i",
    "runs": {"a": SMALL, "b": {**SMALL, "overrides": ["graph.num_steps=36"]}},
    "figures": [],
    "claims": [
        {
            "id": f"{name}_ends",
            "source": "s",
            "claim": "c",
            "criterion": "final_loss",
            "arguments": {"run": name, "expected": 0.4, "tolerance": 0.01},
        }
        for name in ("a", "b")
    ],
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with the recorded run `a` of the study."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.studies.recorded.RECORDINGS", tmp_path / "recorded")
    finished_run(tmp_path / "recorded" / "kept", "a", [[0.4]] * 6)
    return tmp_path


def folders(overrides: Sequence[str] = ()) -> dict[str, str]:
    """Where the plan of the study finds each run."""
    jobs = plan(StudyConfig.model_validate(STUDY), overrides).points
    return {job.name: job.directory.parts[0] for job in jobs}


def keep(place: Path, **changes: str) -> None:
    """Change keys of the summary of the recorded run."""
    path = place / "recorded" / "kept" / "a" / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_recorded_run_stands_in_for_one_that_is_not_there(place: Path) -> None:
    (job, _) = plan(StudyConfig.model_validate(STUDY), []).points
    assert job.directory == place / "recorded" / "kept" / "a"


@pytest.mark.parametrize(
    ("recorded", "advice"),
    [(True, "they are recorded"), (False, "remove the directories of stale runs")],
)
def test_a_stale_run_of_the_program_is_not_to_be_removed(
    recorded: bool, advice: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = finished_run(place, "own", [[0.4]] * 6)
    there = read_run(place / "recorded" / "kept" / "a") if recorded else own
    claim = Claim("a", "s", "c", 0.4, 0.4, None, None, 6, "holds", "", stale="old")
    point = Point("a", (), there.config, there.directory.path)
    print_study([claim], StudyRuns({"a": there}), [point], {"a": "old"})
    assert advice in capsys.readouterr().out


def test_ones_own_run_comes_first(place: Path) -> None:
    finished_run(place / "runs" / "lag_17", "default", [[0.5]])
    assert folders() == {"a": "runs", "b": "runs"}


def test_another_config_is_another_run() -> None:
    assert folders(["model.state_size=3"])["a"] == "runs"
    assert find_recorded("kept", "a", load_config("lag_17", ["optimizer.learning_rate=1"])) is None


def test_a_description_is_no_setting(place: Path) -> None:
    path = place / "recorded" / "kept" / "a" / "config.yaml"
    content = yaml.safe_load(path.read_text("utf-8")) | {"description": "in other words"}
    path.write_text(yaml.safe_dump(content), "utf-8")
    assert find_recorded("kept", "a", load_config("lag_17")) == path.parent


def test_a_run_that_did_not_end_is_not_used(place: Path) -> None:
    keep(place, status="interrupted")
    assert find_recorded("kept", "a", load_config("lag_17")) is None


def test_a_recorded_run_needs_no_data(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Point] = []
    monkeypatch.setattr(points, "check_can_start", lambda given, _data_changed: asked.extend(given))
    plan(StudyConfig.model_validate(STUDY), [])
    assert [point.config.graph.num_steps for point in asked] == [36]


@pytest.fixture
def shipped(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the study available to commands by its name."""
    (place / "kept.yaml").write_text(yaml.safe_dump(STUDY), "utf-8")
    monkeypatch.setattr(spec, "config_file", lambda _, name: (place / name).with_suffix(".yaml"))


@pytest.mark.usefixtures("shipped")
def test_each_config_is_composed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    composed: list[str] = []

    def load(source: str, variants: Collection[Sequence[str]]) -> list[Config]:
        composed.extend([source] * len(variants))
        return load_configs(source, variants)

    def stop(*_: object) -> list[Result]:
        raise Interrupted("stopped")

    monkeypatch.setattr(points, "load_configs", load)
    monkeypatch.setattr(study, "train_missing", stop)
    with pytest.raises(Interrupted):
        reproduce("kept", ReproduceOptions(workers=1))
    assert composed == ["lag_17"] * 2


@pytest.mark.usefixtures("shipped")
def test_a_study_that_is_stopped_reports_what_is_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(
        points: Sequence[Point], _where: str, _workers: int, _data_changed: bool
    ) -> list[Result]:
        assert [each.point.name for each in read_results(points, {}) if each.needs_training] == [
            "b"
        ]
        raise Interrupted("stopped")

    monkeypatch.setattr(study, "train_missing", stop)
    with pytest.raises(Interrupted):
        reproduce("kept", ReproduceOptions(workers=1))
    there, absent = json.loads((place / "reports/kept/claims.json").read_text("utf-8"))
    assert (there["verdict"], there["measured"]) == ("holds", 0.4)
    assert (absent["verdict"], absent["note"]) == ("not_run", "run b: missing")
    assert (place / "reports/kept/report.html").exists()


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training stop before its first run."""

    def stop(*_: object) -> list[Result]:
        raise Interrupted("stopped")

    monkeypatch.setattr(study, "train_missing", stop)


@pytest.mark.usefixtures("shipped", "stopped")
def test_a_figure_that_needs_an_absent_run_is_left_out(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = [
        figure("whole", "curves", {"labels": {"a": "one", "b": "other"}}),
        figure("one", "curves", {"labels": {"a": "one"}}),
    ]
    (place / "kept.yaml").write_text(yaml.safe_dump(STUDY | {"figures": figures}), "utf-8")
    with pytest.raises(Interrupted):
        reproduce("kept", ReproduceOptions(workers=1))
    assert "figure whole: left out: run b: missing" in capsys.readouterr().err
    assert [path.name for path in (place / "reports/kept").glob("*.png")] == ["one.png"]


@pytest.mark.usefixtures("shipped")
def test_a_report_says_what_its_runs_were_changed_by(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "train_missing", lambda *_: [])
    note = "Every run here was changed by: training.seeds=2 training.epochs=1"
    overrides = ["training.seeds=2", "training.epochs=1"]
    names = {False: "kept", True: "kept,training.epochs=1,training.seeds=2"}
    for options, is_noted in ((ReproduceOptions(), False), (ReproduceOptions(overrides), True)):
        reproduce("kept", options)
        text = (place / "reports" / names[is_noted] / "report.html").read_text("utf-8")
        assert (note in text) == is_noted


class TestTheFolderOfTheReport:
    """It is never replaced by another report without a word."""

    @pytest.fixture(autouse=True)
    def _trains_nothing(self, shipped: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(study, "train_missing", lambda *_: [])

    def reports(self) -> set[str]:
        return {path.parent.name for path in Path("reports").glob("*/report.html")}

    def test_overrides_have_a_folder_of_their_own(self) -> None:
        reproduce("kept", ReproduceOptions())
        first = Path("reports/kept/report.html").read_bytes()
        reproduce(
            "kept", ReproduceOptions(["training.seeds=3", "training.seeds=2"])
        )  # the later counts
        assert self.reports() == {"kept", "kept,training.seeds=2"}
        assert Path("reports/kept/report.html").read_bytes() == first

    def test_the_same_command_has_the_same_folder(self, place: Path) -> None:
        for order in (["training.seeds=2", "training.epochs=1"], ["training.epochs=1"] * 2):
            reproduce("kept", ReproduceOptions(order))
            reproduce("kept", ReproduceOptions(order[::-1]))
        assert self.reports() == {
            "kept,training.epochs=1,training.seeds=2",
            "kept,training.epochs=1",
        }

    def test_another_study_of_that_name_has_one_too(self, place: Path) -> None:
        reproduce("kept", ReproduceOptions())
        for _ in range(2):
            reproduce(str(place / "kept.yaml"), ReproduceOptions())
        assert self.reports() == {"kept", "kept-2"}

    def test_a_given_folder_is_replaced_with_a_word(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            reproduce("kept", ReproduceOptions([], out=Path("mine")))
            assert "replaces" not in capsys.readouterr().out
        reproduce("kept", ReproduceOptions(["training.seeds=2"], out=Path("mine")))
        said = "this replaces the report of another study or of other overrides in mine"
        assert said in capsys.readouterr().out

    def test_a_report_of_another_command_is_replaced_with_a_word(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("mine").mkdir()
        Path("mine/report.html").write_text("of a comparison")
        reproduce("kept", ReproduceOptions(out=Path("mine")))
        assert "this replaces report.html in mine\n" in capsys.readouterr().err


def figure(name: str, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "kind": kind, "title": "t", "caption": "c", "arguments": arguments}


@pytest.mark.usefixtures("shipped", "stopped")
def test_with_nothing_there_a_study_that_is_stopped_reports_nothing(place: Path) -> None:
    shutil.rmtree(place / "recorded")
    with pytest.raises(Interrupted):
        reproduce("kept", ReproduceOptions(workers=1))
    assert not any((place / "reports" / "kept").iterdir())


def test_every_shipped_record_is_a_run_of_its_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = [path.parent for path in RECORDINGS.glob("*/*/config.yaml")]
    assert kept
    for path in kept:
        run = load_study(path.parent.name).runs[path.name]
        config = load_config(run.source, run.overrides)
        assert find_recorded(path.parent.name, path.name, config) == path
