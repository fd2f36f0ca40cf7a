"""config/renamed.py: a config key's old name works wherever the key may be given."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from experiments.config import renamed
from experiments.config.compose import load_config
from experiments.config.flat import flatten
from experiments.config.mistakes import known_keys
from experiments.config.renamed import RENAMED
from experiments.config.schema import Config
from experiments.errors import Interrupted, UsageError
from experiments.runs.found import find_runs
from experiments.sweeps.grid import expand, grid_overrides
from experiments.sweeps.points import make_points
from experiments.training.runner import default_directory, train
from tests.conftest import SMALL, StopAtSave, metrics_of, summary_of

NOTE = "model.input_keep is now model.input_keep_prob; the old name works in this version\n"
OLD = "model.input_keep=0.8"
NEW = "model.input_keep_prob=0.8"


@pytest.fixture(autouse=True)
def nothing_printed() -> None:
    renamed.note_old_name.cache_clear()


def test_the_table_leads_from_keys_that_are_gone_to_keys_that_exist() -> None:
    known = set(known_keys(Config))
    assert set(RENAMED.values()) <= known
    assert not set(RENAMED) & known


@pytest.mark.parametrize("override", [OLD, "model={input_keep: 0.8}"])
def test_an_override_may_use_the_old_name(
    override: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert load_config("r2rt_n5", [override]) == load_config("r2rt_n5", [NEW])
    assert capsys.readouterr().err == NOTE  # a line, however many configs are read


def test_the_current_name_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    load_config("r2rt_n5", [NEW])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("overrides", "value"), [([OLD, "model.input_keep_prob=0.5"], 0.5), ([NEW, OLD], 0.8)]
)
def test_the_last_value_counts_under_either_name(overrides: list[str], value: float) -> None:
    assert load_config("r2rt_n5", overrides).model.input_keep_prob == value


def test_a_wrong_value_is_an_error_of_the_present_name() -> None:
    with pytest.raises(UsageError, match=r"model\.input_keep_prob: expected more than 0"):
        load_config("r2rt_n5", ["model.input_keep=0"])


class TestAUsersOwnFile:
    def test_it_may_use_the_old_name(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("model: {input_keep: 0.8, output_keep: 0.7}\n")
        model = load_config(str(path)).model
        assert (model.input_keep_prob, model.output_keep_prob) == (0.8, 0.7)
        assert capsys.readouterr().err.startswith(NOTE)
        assert load_config(str(path), ["model.input_keep_prob=0.5"]).model.input_keep_prob == 0.5

    def test_it_may_not_use_both(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("model: {input_keep: 0.8, input_keep_prob: 0.8}\n")
        with pytest.raises(UsageError, match=r"model\.input_keep_prob: given under its old"):
            load_config(str(path))


class TestAGrid:
    def test_its_key_may_be_replaced_under_either_name(self) -> None:
        assert grid_overrides({"model.input_keep": [0.5, 0.8]}, [NEW]) == [NEW]
        assert grid_overrides({"model.input_keep_prob": [0.5, 0.8]}, [OLD]) == [OLD]

    def test_its_points_have_the_new_name(self) -> None:
        points = make_points("r2rt_n5", expand(["model.input_keep=0.5,0.8"]))
        assert [point.config.model.input_keep_prob for point in points] == [0.5, 0.8]
        assert [str(point.directory) for point in points] == [
            "runs/r2rt_n5/model.input_keep_prob=0.5",
            "runs/r2rt_n5/model.input_keep_prob=0.8",
        ]


class TestARunOfAnEarlierVersion:
    OVERRIDES = (*SMALL, "training.epochs=1", "task.size=4000", OLD)

    def write_old_names(self, path: Path) -> None:
        config = yaml.safe_load((path / "config.yaml").read_text())
        model = config["model"]
        for key in RENAMED:
            name = key.split(".")[-1]
            model[name] = model.pop(f"{name}_prob")
        (path / "config.yaml").write_text(yaml.safe_dump(config))

    def test_it_is_resumed_by_the_same_command_and_found_complete(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        stop_at_save: StopAtSave,
        only_training: None,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        config = load_config("r2rt_n5", self.OVERRIDES)
        train(config, Path("whole"))
        path = default_directory(config, self.OVERRIDES)
        stop_at_save.arm(2)
        with pytest.raises(Interrupted):
            train(config, path)
        self.write_old_names(path)
        train(load_config("r2rt_n5", self.OVERRIDES), path)
        assert summary_of(path)["status"] == "complete"
        assert metrics_of(path) == metrics_of(Path("whole"))
        capsys.readouterr()
        train(load_config("r2rt_n5", self.OVERRIDES), path)
        assert "already complete" in "".join(capsys.readouterr())

        found = find_runs([path, Path("whole")])
        assert found[0].config == found[1].config
        assert flatten(found[0].config.as_dict())["model.input_keep_prob"] == 0.8
