"""docs/systems.md: every system with its key, its experiment and its test."""

from __future__ import annotations

import re

import pytest

from experiments.config.catalog import names
from experiments.config.compose import load_config
from tests.conftest import ROOT

SYSTEMS = (ROOT / "docs" / "systems.md").read_text("utf-8")
SECTIONS = "graph|model|optimizer|task|training|truncation"
KEYS = sorted(set(re.findall(rf"`((?:{SECTIONS})\.[a-z_]+)", SYSTEMS)))
# The keys of a task are there under that task alone.
OF_A_TASK = {
    "task.comparable": "text_python_docs",
    "task.level": "text_python_docs",
    "task.layout": "digits_small",
    "task.marker": "copy_memory",
} | dict.fromkeys(
    ("task.length", "task.pad", "task.source", "task.truncate", "task.vocabulary_size"), "imdb"
)


@pytest.mark.parametrize("kind", ["experiment", "study"])
def test_everything_shipped_shows_some_system(kind: str) -> None:
    shown = set(re.findall(r"\w+", SYSTEMS))
    assert [name for name in names(kind) if name not in shown] == []


def test_every_test_named_is_there() -> None:
    named = set(re.findall(r"\btest_[a-z_]+", SYSTEMS))
    there = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert sorted(named - there) == []


@pytest.mark.parametrize("key", KEYS)
def test_every_key_named_is_there(key: str) -> None:
    config = load_config(OF_A_TASK.get(key, "r2rt_n5"))
    section, name = key.split(".")
    assert name in getattr(config, section).model_dump()
