"""experiments/runs/directory.py: which directories a run may use."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from tests.conftest import small_config

CONFIG = small_config()


def prepare(path: Path, *overrides: str, overwrite: bool = False) -> RunDirectory:
    directory = RunDirectory(path)
    directory.check(small_config(*overrides), overwrite)
    directory.prepare(small_config(*overrides), overwrite)
    return directory


def refusal(path: Path, *overrides: str, overwrite: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        prepare(path, *overrides, overwrite=overwrite)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_new_directory_is_made_and_holds_the_config(tmp_path: Path) -> None:
    directory = prepare(tmp_path / "a" / "b")
    assert directory.read_config() == CONFIG


def test_the_same_config_is_welcome_again(tmp_path: Path) -> None:
    prepare(tmp_path)
    before = (tmp_path / "config.yaml").stat().st_mtime_ns
    prepare(tmp_path)
    assert (tmp_path / "config.yaml").stat().st_mtime_ns == before


def test_another_config_is_refused_with_both_values(tmp_path: Path) -> None:
    prepare(tmp_path)
    message = refusal(tmp_path, "graph.num_steps=7")
    assert "holds a run with graph.num_steps = 5, this one has 7" in message
    assert "--overwrite" in message
    assert RunDirectory(tmp_path).read_config() == CONFIG


def test_another_list_of_dependencies_is_another_config(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert "task.dependencies" in refusal(tmp_path, "task.dependencies=[{lag: 1, effect: 0.25}]")


def test_overwrite_replaces_a_run_and_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    prepare(tmp_path)
    for name in ("metrics.csv", "summary.json", "learning_curve.png", "log.txt", "notes.txt"):
        (tmp_path / name).write_text("old")
    for name in ("events", "checkpoint", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("old")
    directory = prepare(tmp_path, "graph.num_steps=7", overwrite=True)
    assert directory.read_config().graph.num_steps == 7
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "notes.txt", "mine"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_files_are_refused_and_left_as_they_were(
    tmp_path: Path, overwrite: bool
) -> None:  # fmt: skip
    (tmp_path / "metrics.csv").write_text("precious")
    message = refusal(tmp_path, overwrite=overwrite)
    assert "holds files but no config.yaml" in message
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]
    assert (tmp_path / "metrics.csv").read_text() == "precious"


def test_what_a_process_leaves_that_is_killed_at_its_first_write_is_not_foreign(
    tmp_path: Path,
) -> None:
    (tmp_path / ".lock").write_text("123")
    (tmp_path / ".config.0123abcd.yaml").write_text("name: r2r")
    prepare(tmp_path)


def test_a_path_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made: Not a directory" in refusal(tmp_path / "file" / "run")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made: File exists" in refusal(tmp_path / "file")


def test_a_directory_that_is_not_writable_is_refused(
    small_disk: Callable[[str], Path],
) -> None:  # fmt: skip
    place = small_disk("1m")
    (place / "run").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    assert refusal(place / "run").endswith("not writable")


class TestReading:
    def test_another_directory_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"no run directory: config\.yaml expected"):
            RunDirectory(tmp_path).read_config()

    def test_a_damaged_config_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("graph: {num_steps: 5}\n")
        with pytest.raises(UsageError, match=r"config\.yaml: name: this key is needed"):
            RunDirectory(tmp_path).read_config()

    def test_no_summary_yet_is_empty(self, tmp_path: Path) -> None:
        assert RunDirectory(tmp_path).read_summary() == {}

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"{", "cannot be read"),
            (b"\xff", "cannot be read"),
            (b"[1]", "expected an object, got list"),
        ],
    )
    def test_a_damaged_summary_is_told(
        self, tmp_path: Path, content: bytes, reason: str
    ) -> None:  # fmt: skip
        (tmp_path / "summary.json").write_bytes(content)
        with pytest.raises(UsageError, match=reason):
            RunDirectory(tmp_path).read_summary()
