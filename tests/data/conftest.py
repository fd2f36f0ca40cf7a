"""Small files of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.corpus import SPLITS
from tests.data.texts import TEST, TRAIN, VALID


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A file of 100 characters, 20 lines of 5."""
    path = tmp_path / "book.txt"
    path.write_text("abcd\n" * 10 + "dcba\n" * 10, "utf-8")
    return path


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    """Three files in the form of Penn Treebank: a space at both ends of a line."""
    for split, text in zip(SPLITS, (TRAIN, VALID, TEST), strict=True):
        (tmp_path / f"small.{split}.txt").write_text(text, "utf-8")
    return tmp_path / "small"
