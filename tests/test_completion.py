"""Completion in the shell, asked for as bash does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.config.catalog import names
from tests.conftest import ROOT

# The answer goes to file descriptor 8.
ANSWER = 'exec 8>answer 9>/dev/null; exec "$@"'


def completions(line: str, folder: Path) -> list[str]:
    """The words that the shell offers at the end of this line."""
    asked = {
        "_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "63",
        "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n",
    }  # fmt: skip
    script = [sys.executable, str(ROOT / "run.py")]
    done = subprocess.run(
        ["bash", "-c", ANSWER, "bash", *script], cwd=folder, env=os.environ | asked,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [word.strip() for word in (folder / "answer").read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run.py re", {"reproduce"}),
        ("run.py train r2rt_", {"r2rt_n1", "r2rt_n5", "r2rt_n10"}),
        ("run.py sweep r2rt_w", {"r2rt_width"}),
        ("run.py reproduce ", set(names("study"))),
        ("run.py train text_python_docs task.le", {"task.level="}),
        ("run.py sweep lag_17 graph.num_", {"graph.num_steps="}),
        ("run.py reproduce horizon training.s", {"training.seeds="}),
        ("run.py runs --wh", {"--where"}),
    ],
)
def test_the_shell_is_offered(line: str, expected: set[str], tmp_path: Path) -> None:
    assert set(completions(line, tmp_path)) >= expected


def test_files_are_offered_beside_experiments(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("")
    (tmp_path / "mine.txt").write_text("")
    assert completions("run.py train mi", tmp_path) == ["mine.yaml"]
