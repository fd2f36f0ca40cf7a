"""experiments/runs/files.py: files that are whole or absent."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.files import atomic_path, is_temporary, make_output_folder, write_atomic


@pytest.mark.parametrize("content", ["", "täxt\n", b"\x00\xff"])
def test_the_content_is_what_was_given(tmp_path: Path, content: str | bytes) -> None:
    write_atomic(tmp_path / "file", content)
    expected = content.encode() if isinstance(content, str) else content
    assert (tmp_path / "file").read_bytes() == expected


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, "a long first content")
    write_atomic(path, "second")
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, "first")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, "second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_seen_to_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, "first")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: seen.append(path.read_text()))
    write_atomic(path, "second")
    assert seen == ["first"]


def test_the_temporary_path_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "curve.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        temporary.write_text("x")
    assert (tmp_path / "curve.png").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "temporary"),
    [
        (".summary.0123abcd.json", True), (".events.0123abcd", True), ("summary.json", False),
        (".summary.0123abcd.csv", False), (".notes.0123abcd.json", False),
        (".summary.mine.json", False),
    ],
)  # fmt: skip
def test_temporary_files_are_told_from_a_user_s(name: str, temporary: bool) -> None:
    assert is_temporary(Path(name), ["summary.json", "events"]) == temporary


def test_an_output_folder_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    for _ in range(2):
        make_output_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_an_output_folder_that_cannot_be_written_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # root may write anywhere
    with pytest.raises(UsageError, match=r"--out .*: not writable: Permission denied"):
        make_output_folder(tmp_path)


def test_a_folder_in_the_place_of_an_output_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "credit.png").mkdir()
    make_output_folder(tmp_path, ["credit.csv"])
    with pytest.raises(UsageError, match=r"--out .*: credit\.png is a folder; expected a file"):
        make_output_folder(tmp_path, ["credit.csv", "credit.png"])


def test_replaced_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["credit.csv", "credit.png"]
    make_output_folder(tmp_path, names)
    assert capsys.readouterr().err == ""
    (tmp_path / "credit.png").touch()
    make_output_folder(tmp_path, names)
    assert capsys.readouterr().err == f"this replaces credit.png in {tmp_path}\n"
