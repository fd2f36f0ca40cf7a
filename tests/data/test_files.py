"""data/files.py: where a file is looked for, and what is said of one that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.task import DataError
from tests.data.texts import make_task


def test_relative_paths(book: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNN_DATA", str(tmp_path))
    assert make_task("book.txt").num_inputs == 5
    assert make_task(book).num_inputs == 5
    with pytest.raises(DataError) as error:
        make_task("books.txt", origin="a library")
    assert str(error.value) == (
        f"{tmp_path}/books.txt: no such file; a relative path starts at the environment variable "
        f"RNN_DATA, now {tmp_path}; where to get it: a library"
    )
    monkeypatch.delenv("RNN_DATA")
    monkeypatch.chdir(tmp_path)
    assert make_task("book.txt").num_inputs == 5
    with pytest.raises(DataError) as error:
        make_task("books.txt")
    assert str(error.value) == (
        f"{tmp_path}/books.txt: no such file; a relative path starts at the current directory, "
        "as the environment variable RNN_DATA is not set"
    )


def test_a_missing_one_of_three_files(treebank: Path) -> None:
    treebank.with_name("small.test.txt").unlink()
    with pytest.raises(DataError, match=r"small\.test\.txt: no such file; .*: the linguists$"):
        make_task(treebank, source="three_files", level="words", origin="the linguists")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, message in {
        "": "expected a file, found a directory",
        "pipe": "expected a file, found a device or a pipe",
        "file/inside": "cannot be read: Not a directory",
        "x" * 300: "cannot be read: File name too long",
    }.items():
        with pytest.raises(DataError) as error:
            make_task(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {message}"
    with pytest.raises(DataError, match=r"not a path: .*embedded null"):
        make_task(f"{tmp_path}/a\0b")


@pytest.fixture
def locked(book: Path) -> Iterator[Path]:
    """A file that may not be read. Root may read all files, so drop its rights for a while."""
    book.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield book
    os.seteuid(user)


def test_a_file_that_may_not_be_read(locked: Path) -> None:
    with pytest.raises(DataError) as error:
        make_task(locked)
    assert str(error.value) == f"{locked}: cannot be read: Permission denied"
