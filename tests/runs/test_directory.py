"""experiments/runs/directory.py: which directories a run may use."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from tests.conftest import ROOT, small_config

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


def old_run(path: Path) -> None:
    """A run of num_steps 5 in all its parts, with a file of the user's beside it."""
    prepare(path)
    for name in ("metrics.csv", "summary.json", "log.txt", "notes.txt"):
        (path / name).write_text("{}")
    for name in ("events", "checkpoint"):
        (path / name / "seed-0").mkdir(parents=True)
        (path / name / "seed-0" / "file").write_text("old")


def content(path: Path) -> dict[str, bytes]:
    """Every file but the lock."""
    files = (each for each in path.rglob("*") if each.is_file() and each.name != ".lock")
    return {str(each.relative_to(path)): each.read_bytes() for each in files}


class TestReplacing:
    def test_a_symlinked_folder_is_refused_and_nothing_is_changed(self, tmp_path: Path) -> None:
        old_run(tmp_path / "run")
        (tmp_path / "run" / "checkpoint").rename(tmp_path / "scratch")
        (tmp_path / "run" / "checkpoint").symlink_to(tmp_path / "scratch")
        before = content(tmp_path / "run")
        message = refusal(tmp_path / "run", "graph.num_steps=7", overwrite=True)
        assert "checkpoint is a link to" in message
        assert content(tmp_path / "run") == before
        assert (tmp_path / "scratch" / "seed-0" / "file").read_text() == "old"

    def test_a_part_that_cannot_be_moved_leaves_the_run_as_it_was(
        self, tmp_path: Path, small_disk: Callable[[str], Path]
    ) -> None:
        old_run(tmp_path / "run")
        disk = small_disk("1m")
        checkpoint = tmp_path / "run" / "checkpoint"
        subprocess.run(["mount", "--bind", str(disk), str(checkpoint)], check=True)
        try:
            before = content(tmp_path / "run")
            message = refusal(tmp_path / "run", "graph.num_steps=7", overwrite=True)
            assert "cannot be replaced: " in message
            assert message.endswith("; the run is as it was")
            assert content(tmp_path / "run") == before
            assert not list((tmp_path / "run").glob(".replaced-*"))
        finally:
            subprocess.run(["umount", str(checkpoint)], check=True)
        prepare(tmp_path / "run", "graph.num_steps=7", overwrite=True)

    def test_a_file_that_cannot_be_removed_does_not_stop_the_new_run(
        self, tmp_path: Path
    ) -> None:  # fmt: skip
        old_run(tmp_path)
        file = tmp_path / "events" / "seed-0" / "file"
        if subprocess.run(["chattr", "+i", str(file)], capture_output=True).returncode:
            pytest.skip("no immutable files here")
        directory = RunDirectory(tmp_path)
        config = small_config("graph.num_steps=7")
        directory.check(config, overwrite=True)
        left = directory.prepare(config, overwrite=True)
        try:
            assert [path.name.startswith(".replaced-") for path in left] == [True]
            assert directory.read_config() == config
            assert not (tmp_path / "events").exists()
        finally:
            (file,) = left[0].rglob("file")
            subprocess.run(["chattr", "-i", str(file)], check=True)
        assert directory.prepare(config, overwrite=False) == []
        assert content(tmp_path).keys() == {"config.yaml", "notes.txt"}

    @pytest.mark.parametrize("renames", range(1, 8))
    def test_killed_at_any_moment_the_old_run_is_whole_or_gone(
        self, tmp_path: Path, renames: int
    ) -> None:
        old_run(tmp_path)
        before = content(tmp_path)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_AT_RENAME, str(tmp_path), str(renames)], cwd=ROOT
        )
        assert killed.returncode == -signal.SIGKILL
        is_there = (tmp_path / "config.yaml").exists()
        assert is_there == (renames == 1)
        if is_there:
            assert content(tmp_path) == before
        directory = prepare(tmp_path, "graph.num_steps=7", overwrite=is_there)
        assert directory.read_config().graph.num_steps == 7
        assert content(tmp_path).keys() == {"config.yaml", "notes.txt"}
        assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "notes.txt"}


KILLED_AT_RENAME = """
import os, signal, sys
from pathlib import Path
from experiments.runs.directory import RunDirectory
from tests.conftest import small_config
rename, left = Path.rename, int(sys.argv[2])
def counted(path, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = Path.replace = counted
directory = RunDirectory(Path(sys.argv[1]))
config = small_config("graph.num_steps=7")
directory.check(config, overwrite=True)
directory.prepare(config, overwrite=True)
"""


def test_what_killed_writes_leave_is_removed_and_a_user_s_files_are_not(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "checkpoint" / "seed-0").mkdir(parents=True)
    for name in (
        ".summary.0123abcd.json", ".metrics.0123abcd.csv", ".learning_curve.0123abcd.png",
        "checkpoint/seed-0/.000000000100.0123abcd.npz", ".mine.0123abcd.json", ".hidden",
    ):  # fmt: skip
        (tmp_path / name).write_text("half")
    prepare(tmp_path)
    assert content(tmp_path).keys() == {"config.yaml", ".mine.0123abcd.json", ".hidden"}


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

    @pytest.mark.parametrize("content", [b"", b"\n"])
    def test_an_empty_summary_is_of_an_unfinished_run(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "summary.json").write_bytes(content)
        assert RunDirectory(tmp_path).read_summary() == {}

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("final_loss", []), ("final_loss", {"mean": "low"}), ("final_loss", {"per_seed": 3}),
            ("floors", None), ("floors", {"none": None}), ("seconds", "long"), ("seeds", [0, 1]),
            ("status", "done"), ("status", 3), ("probe", {"effects": 1}), ("probe", [None]),
            ("validation", {"best_loss": 1}), ("final_loss", None),
            ("final_loss", {"updates": {"0": 400}}), ("probe", [{"effects": []}]),
            ("validation", {"per_seed": {"0": 0.5}}), ("total_updates", None), ("reason", None),
        ],
    )  # fmt: skip
    def test_another_type_is_told_with_the_file_and_the_key(
        self, tmp_path: Path, key: str, value: object
    ) -> None:
        content = json.dumps({"status": "complete"} | {key: value})
        (tmp_path / "summary.json").write_text(content)
        with pytest.raises(UsageError, match=rf"summary\.json: {key}") as caught:
            RunDirectory(tmp_path).read_summary()
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"[" * 100_000, "cannot be read"),
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
