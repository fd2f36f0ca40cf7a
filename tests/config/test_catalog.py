"""experiments/config/catalog.py: the names and descriptions that `run.py list` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config import catalog


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalog, "CONFIGS", tmp_path)
    (tmp_path / "experiment").mkdir()
    return tmp_path / "experiment"


def test_names_are_the_files_in_order(configs: Path) -> None:
    for name in ("b", "a", "c"):
        (configs / f"{name}.yaml").write_text("")
    (configs / "notes.txt").write_text("")
    assert catalog.names("experiment") == ["a", "b", "c"]


def test_a_kind_without_files_has_no_names(configs: Path) -> None:
    assert catalog.names("sweep") == []


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("description: what it is\n", "what it is"),
        ("name: x\n", ""),
        (
            "[1",
            "(unreadable: PATH, line 1, column 3: not valid YAML: expected ',' or ']', "
            "but got '<stream end>')",
        ),
        ("5\n", "(unreadable: PATH: expected a mapping of keys)"),
    ],
)
def test_one_bad_file_does_not_hide_the_list(configs: Path, content: str, shown: str) -> None:
    path = configs / "a.yaml"
    path.write_text(content)
    assert catalog.description(path) == shown.replace("PATH", str(path))


def test_only_a_near_name_is_suggested() -> None:
    assert catalog.nearest("num_step", ["num_steps", "size"]) == "; did you mean 'num_steps'?"
    assert catalog.nearest("qqq", ["num_steps", "size"]) == ""
