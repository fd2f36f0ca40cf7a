"""experiments/reporting/environment.py: the software and machine of a run."""

from __future__ import annotations

import subprocess
from importlib import metadata

import pytest

from experiments.reporting.environment import environment, git_commit
from tests.conftest import ROOT


def test_versions_are_those_installed() -> None:
    versions = environment()["versions"]
    assert set(versions) == {"python", "numpy", "tensorflow", "tf-keras"}
    assert versions["tensorflow"] == metadata.version("tensorflow")


def test_the_commit_is_gits() -> None:
    try:
        head = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "HEAD"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    commit = git_commit()
    assert commit is not None
    assert commit.removesuffix("-dirty") == head


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None
