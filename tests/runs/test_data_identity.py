"""data.json: what is written comes back, and what is none is refused by its key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from data.task import Source
from experiments.errors import UsageError
from experiments.runs.data_identity import DataIdentity, read_identity, write_identity
from experiments.runs.directory import RunDirectory

BOOK = {"name": "book.txt", "sha256": "ab"}


def test_it_comes_back(tmp_path: Path) -> None:
    written = DataIdentity((Source("a", "1"),), ("x", "\n"), ((Source("b", "2"),),))
    write_identity(RunDirectory(tmp_path), written)
    assert read_identity(RunDirectory(tmp_path)) == written


def test_a_run_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    assert read_identity(RunDirectory(tmp_path)) is None


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"sources": "book.txt"}, "sources: expected a list; got 'book.txt'"),
        ({"sources": [{"name": 1, "sha256": "ab"}]}, "sources.0.name: expected text"),
        ({"vocabulary": "abc"}, "vocabulary: expected a list; got 'abc'"),
        ({"vocabulary": ["a", 1]}, "vocabulary.1: expected text; got 1"),
        ({"replaced": [BOOK]}, "replaced.0"),
    ],
)
def test_another_type_is_told_with_its_key(keys: dict[str, Any], told: str, tmp_path: Path) -> None:
    content = {"sources": [BOOK], "vocabulary": None, "replaced": []} | keys
    directory = RunDirectory(tmp_path)
    directory.data.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=re.escape(told)):
        read_identity(directory)
