"""The command line on terminals without Unicode, without a reader, and from other folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.arguments import make_parser
from experiments.paths import ROOT
from tests.handmade import finished_run

COMMAND = [sys.executable, str(ROOT / "run.py")]


def started(
    arguments: list[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, env=os.environ | environment
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["list"],
        ["config", "r2rt_n5"],
        ["sweep", "r2rt_width", "--dry-run"],
    ],
)
def test_a_reader_that_is_gone_ends_a_command_quietly(arguments: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 0


ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def test_a_terminal_without_unicode_gets_escapes(tmp_path: Path) -> None:
    finished_run(tmp_path, "läufe", [[0.5, 0.4]])
    done = started(["compare", "läufe"], tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert rb"\xb1 is half of the 95 % interval over seeds." in done.stdout
    assert done.stderr == b""
    done = started(["sweep", "r2rt_n5", "description='李','é'", "--dry-run"], tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr


def test_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    parsed = make_parser().parse_args(["train", "r2rt_n5", "--run-dir=~/x"])
    assert parsed.run_dir == tmp_path / "x"
    parsed = make_parser().parse_args(["compare", "~/runs", "--out=~/out"])
    assert parsed.run_dirs == [tmp_path / "runs"]
    assert parsed.out == tmp_path / "out"
