"""`run.py runs`: the list, and what acts on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

import run
from experiments.runs import removal
from experiments.runs.listing import list_runs, shown_size
from experiments.runs.lock import locked
from tests.handmade import finished_run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs below runs/, of which one has 9 steps."""
    monkeypatch.chdir(tmp_path)
    finished_run(Path("runs/lag_17"), "wide", [[0.5, 0.25]])
    finished_run(Path("runs/lag_17"), "narrow", [[0.75]], overrides=["graph.num_steps=9"])
    return tmp_path


def runs(*arguments: str) -> int:
    try:
        return run.main(["runs", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


def names(where: str | None = None) -> list[str]:
    return [each.directory.path.name for each in list_runs([Path("runs")], where)]


class TestTheList:
    def test_it_has_status_loss_seconds_and_size(self, capsys: Capture) -> None:
        assert runs("--json") == 0
        narrow, wide = json.loads(capsys.readouterr().out)
        size = sum(path.lstat().st_size for path in Path("runs/lag_17/wide").iterdir())
        assert wide == {
            "run": "runs/lag_17/wide", "status": "complete", "loss": 0.25,
            "seconds_a_seed": 0.02, "bytes": size,  # of its row; the summary has none
        }  # fmt: skip
        assert narrow["loss"] == 0.75

    def test_it_is_a_table_with_a_total(self, capsys: Capture) -> None:
        assert runs() == 0
        lines = capsys.readouterr().out.splitlines()
        assert re.split("  +", lines[0]) == ["run", "status", "loss", "seconds a seed", "size"]
        assert lines[2].split()[:3] == ["runs/lag_17/narrow", "complete", "0.7500"]
        assert lines[-1].startswith("2 runs, ")

    def test_a_condition_chooses(self) -> None:
        assert names("graph.num_steps<10") == ["narrow"]
        assert names("seconds_a_seed<0.015 and status=complete") == ["narrow"]
        assert names("loss<0.3 and status=complete") == ["wide"]
        assert names("not loss<9") == []

    def test_a_mistake_in_it_is_one_line(self, capsys: Capture) -> None:
        assert runs("--where", "graph.num_stpes>3") == 2
        assert capsys.readouterr().err == (
            "error: --where, column 1: graph.num_stpes: unknown key; "
            "did you mean 'graph.num_steps'?\n"
        )

    def test_a_damaged_run_is_listed(self) -> None:
        Path("runs/lag_17/wide/config.yaml").write_text("[")
        assert names("status=unreadable") == ["wide"]

    @pytest.mark.parametrize(
        "summary",
        [
            {"final_loss": None},
            {"final_loss": {"updates": {"0": 400}}},
            {"final_loss": {"updates": {"7": 400}, "per_seed": {"7": 0.5}}},  # no row, no updates
            {"probe": [{"effects": []}]},
        ],
        ids=str,
    )
    def test_a_summary_that_lacks_what_is_read_is_listed(self, summary: dict[str, Any]) -> None:
        Path("runs/lag_17/wide/summary.json").write_text(json.dumps(summary))
        assert names("status=unreadable") == ["wide"]

    @pytest.mark.parametrize(
        ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB")]
    )
    def test_sizes_have_units(self, size: float, text: str) -> None:
        assert shown_size(size) == text


class TestRemove:
    def test_without_a_terminal_it_needs_yes(self, capsys: Capture) -> None:
        assert runs("--remove") == 2
        assert "Remove these 2 runs? There is no terminal to ask on" in capsys.readouterr().err
        assert len(names()) == 2

    @pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 2), ("\n", 2), ("", 2)])
    def test_on_a_terminal_it_asks(
        self, answer: str, left: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
        assert runs("--where", "graph.num_steps=9", "--remove") == 0
        assert len(names()) == left

    def test_the_run_is_gone_and_the_others_stay(self) -> None:
        assert runs("--where", "graph.num_steps=9", "--remove", "--yes") == 0
        assert [path.name for path in Path("runs/lag_17").iterdir()] == ["wide"]

    def test_files_that_no_run_writes_stay(self, capsys: Capture) -> None:
        notes = Path("runs/lag_17/narrow/notes.txt")
        notes.write_text("mine")
        assert runs("--where", "graph.num_steps=9", "--remove", "--yes") == 0
        assert [path.name for path in notes.parent.iterdir()] == ["notes.txt"]
        assert "kept its other files: notes.txt" in capsys.readouterr().err

    def test_after_an_interrupt_it_can_be_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        (Path("runs/lag_17/narrow/checkpoint") / "seed-0").mkdir(parents=True)
        with monkeypatch.context() as patch:
            patch.setattr("shutil.rmtree", interrupt)
            assert runs("--where", "graph.num_steps=9", "--remove", "--yes") != 0
        assert names() == ["narrow", "wide"]
        assert runs("--where", "graph.num_steps=9", "--remove", "--yes") == 0
        assert not Path("runs/lag_17/narrow").exists()

    def test_the_owner_of_a_run_without_locks_goes_with_it(self) -> None:
        Path("runs/lag_17/narrow/.lock.owner").write_text("1 elsewhere")
        assert (
            runs("--where", "graph.num_steps=9", "--archive", "old.tgz", "--remove", "--yes") == 0
        )
        assert not Path("runs/lag_17/narrow").exists()
        with tarfile.open("old.tgz") as file:
            assert not [name for name in file.getnames() if ".lock" in name]

    def test_one_in_use_keeps_all(self, capsys: Capture) -> None:
        with locked(Path("runs/lag_17/wide")):
            assert runs("--remove", "--yes") == 2
        assert "in use by another run" in capsys.readouterr().err
        assert len(names()) == 2

    def test_links_are_not_followed(self, folder: Path) -> None:
        outside = finished_run(folder / "elsewhere", "kept", [[0.5]])
        Path("runs/lag_17/link").symlink_to(outside.directory.path)
        events = Path("runs/lag_17/wide/events")
        events.mkdir()
        (events / "link").symlink_to(folder / "elsewhere")
        assert names() == ["narrow", "wide"]
        assert runs("--remove", "--yes") == 0
        assert outside.directory.metrics.exists()

    def test_a_link_that_is_named_is_refused(self, folder: Path, capsys: Capture) -> None:
        outside = finished_run(folder / "elsewhere", "kept", [[0.5]])
        Path("link").symlink_to(outside.directory.path)
        assert runs("link", "--remove", "--yes") == 2
        assert "link: a symbolic link" in capsys.readouterr().err
        assert outside.directory.metrics.exists()

    def test_yes_alone_is_refused(self, capsys: Capture) -> None:
        assert runs("--yes") == 2
        assert "--yes works with --archive and --remove only" in capsys.readouterr().err


class TestArchive:
    def test_unpacked_it_restores_the_runs(self, folder: Path) -> None:
        before = {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()}
        assert runs("--archive", "old.tar.gz", "--remove", "--yes") == 0
        assert not list(Path("runs").rglob("config.yaml"))
        subprocess.run(["tar", "xzf", "old.tar.gz"], check=True)
        after = {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()}
        assert after == before

    def test_a_linked_folder_restores_in_place(
        self, folder: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        disk = tmp_path_factory.mktemp("disk") / "runs"
        Path("runs").rename(disk)
        Path("runs").symlink_to(disk)
        self.test_unpacked_it_restores_the_runs(folder)
        with tarfile.open("old.tar.gz") as file:
            assert "runs/lag_17/wide/metrics.csv" in file.getnames()

    def test_a_folder_elsewhere_is_named_from_the_root(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """And so is one beside a link's end, which `..` after the link names."""
        disk = tmp_path_factory.mktemp("disk")
        Path("runs/lag_17").rename(disk / "lag_17")
        (disk / "empty").mkdir()
        Path("link").symlink_to(disk / "empty")
        for name, path in (("one", str(disk)), ("other", "link/..")):
            assert runs(path, "--archive", f"{name}.tgz", "--yes") == 0
            with tarfile.open(f"{name}.tgz") as file:
                assert f"{disk}/lag_17/wide/metrics.csv".lstrip("/") in file.getnames()

    def test_alone_it_removes_nothing(self) -> None:
        assert runs("--archive", "old.tar.gz", "--yes") == 0
        with tarfile.open("old.tar.gz") as file:
            assert "runs/lag_17/wide/metrics.csv" in file.getnames()
            assert not [name for name in file.getnames() if name.endswith(".lock")]
        assert len(names()) == 2

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("old.zip", "expected a name that ends in .tar.gz or .tgz"),
            ("there.tar.gz", "exists already"),
            ("nowhere/old.tgz", "nowhere is not a folder"),
            ("runs/lag_17/wide/old.tgz", "is inside the run"),
        ],
    )
    def test_a_path_that_cannot_be_is_refused(
        self, path: str, reason: str, capsys: Capture
    ) -> None:  # fmt: skip
        Path("there.tar.gz").write_text("mine")
        assert runs("--archive", path, "--remove", "--yes") == 2
        assert reason in capsys.readouterr().err
        assert Path("there.tar.gz").read_text() == "mine"
        assert len(names()) == 2

    def test_one_that_is_not_whole_removes_nothing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        read_back = removal._read_back

        def truncate(path: Path) -> list[str]:
            os.truncate(path, path.stat().st_size // 2)
            return read_back(path)

        monkeypatch.setattr(removal, "_read_back", truncate)
        assert runs("--archive", "old.tar.gz", "--remove", "--yes") == 1
        assert "cannot be read back; nothing was removed" in capsys.readouterr().err
        assert not Path("old.tar.gz").exists()
        assert len(names()) == 2
