"""experiments/runs/naming.py: one config has one directory, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from experiments.config.compose import load_config
from experiments.runs.naming import directory_name, name_as_written, run_directory


def name(*overrides: str) -> str:
    return directory_name(load_config("lag_17", overrides), overrides)


def make_run(folder: Path, older_name: str, *overrides: str) -> Path:
    """A directory that an earlier version named, with its config."""
    path = folder / older_name
    path.mkdir(parents=True)
    content = load_config("lag_17", overrides).as_dict()
    (path / "config.yaml").write_text(yaml.safe_dump(content))
    return path


def found(folder: Path, *overrides: str) -> str:
    return run_directory(folder, load_config("lag_17", overrides), overrides).name


def test_no_overrides_are_the_default() -> None:
    assert name() == "default"


def test_the_order_does_not_matter() -> None:
    expected = "graph.num_steps=18,training.seeds=2"
    assert name("graph.num_steps=18", "training.seeds=2") == expected
    assert name("training.seeds=2", "graph.num_steps=18") == expected


@pytest.mark.parametrize("text", ["1e-3", "0.001", "1.0e-03", "'1e-3'", "0.1e-2"])
def test_a_number_has_one_spelling(text: str) -> None:
    assert name(f"optimizer.learning_rate={text}") == "optimizer.learning_rate=0.001"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("optimizer.learning_rate=1.0", "optimizer.learning_rate=1"),
        ("execution.xla=true", "execution.xla=on"),
        ("logging.tensorboard=True", "logging.tensorboard=true"),
        ("execution.threads=null", "execution.threads=null"),
        ("model.state_size=[64, 32]", "model.state_size=_64,32_"),
        ("model.input_keep=0.5", "model.input_keep_prob=0.5"),
        ("task=binary_dependency", "task=binary_dependency"),
    ],
)
def test_a_value_is_that_of_the_config(override: str, expected: str) -> None:
    assert name(override) == expected


def test_a_later_override_replaces_an_earlier_one() -> None:
    assert name("training.seeds=10", "graph.num_steps=18", "training.seeds=2") == (
        "graph.num_steps=18,training.seeds=2"
    )


def test_a_group_is_composed_before_its_keys_wherever_it_stands() -> None:
    expected = "task.size=90000,task=binary_dependency"
    assert name("task=binary_dependency", "task.size=90000") == expected
    assert name("task.size=90000", "task=binary_dependency") == expected


def test_a_dictionary_is_named_by_its_keys() -> None:
    apart = name("truncation.kind=tf_style", "truncation.depth=18")
    assert apart == "truncation.depth=18,truncation.kind=tf_style"
    assert name("truncation={kind:tf_style,depth:18}") == apart
    assert name("truncation={kind:true_bptt}", "truncation={kind: tf_style, depth: 18}") == apart


def test_a_name_is_one_folder_whatever_the_value() -> None:
    assert name("description='../../x y'") == "description=.._.._x_y"


def test_long_names_stay_apart_and_short_enough_for_a_file_system() -> None:
    one, two = (name(f"description={'x' * 300}{number}") for number in range(2))
    assert one != two
    assert max(map(len, (one, two))) <= 200


class TestADirectoryOfAnEarlierVersion:
    OLD = "training.seeds=10,training.seeds=2"

    def test_of_this_config_is_used(self, tmp_path: Path) -> None:
        overrides = ("training.seeds=10", "training.seeds=2")
        make_run(tmp_path, self.OLD, *overrides)
        assert name_as_written(overrides) == self.OLD
        assert found(tmp_path, *overrides) == self.OLD

    def test_of_another_config_is_not(self, tmp_path: Path) -> None:
        make_run(tmp_path, self.OLD, "training.seeds=10")
        assert found(tmp_path, "training.seeds=10", "training.seeds=2") == "training.seeds=2"

    def test_is_not_used_beside_one_of_the_present_name(self, tmp_path: Path) -> None:
        for each in (self.OLD, "training.seeds=2"):
            make_run(tmp_path, each, "training.seeds=2")
        assert found(tmp_path, "training.seeds=10", "training.seeds=2") == "training.seeds=2"

    def test_is_used_whatever_the_spelling_now(self, tmp_path: Path) -> None:
        old = "model.input_keep=0.5,optimizer.learning_rate=1e-3"
        make_run(tmp_path, old, "model.input_keep_prob=0.5", "optimizer.learning_rate=0.001")
        overrides = ("optimizer.learning_rate=1.0e-3", "model.input_keep_prob=0.50")
        assert found(tmp_path, *overrides) == old

    def test_is_found_as_soon_as_it_is_there(self, tmp_path: Path) -> None:
        make_run(tmp_path, "other", "graph.num_steps=18")
        given = "optimizer.learning_rate=0.01"
        assert found(tmp_path, given) == given
        make_run(tmp_path, "optimizer.learning_rate=1e-2", given)
        assert found(tmp_path, given) == "optimizer.learning_rate=1e-2"

    def test_that_cannot_be_read_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "optimizer.learning_rate=1e-2").mkdir()
        given = "optimizer.learning_rate=0.01"
        assert found(tmp_path, given) == given
