"""experiments/runs/environment.py: the software and machine of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from experiments.runs import environment as reporting
from experiments.runs.environment import environment, git_commit
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    git_commit.cache_clear()
    yield
    git_commit.cache_clear()


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


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", f"safe.directory={folder}"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *settings, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=own)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, in which the program is; another one is beside it."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    for name in ("program", "other"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "-q")
        git(tmp_path / name, "commit", "-q", "--allow-empty", "-m", name)
    monkeypatch.setattr(reporting, "ROOT", tmp_path / "program")
    return tmp_path / "program"


def test_a_repository_around_the_program_is_not_its_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "inside").mkdir()
    monkeypatch.setattr(reporting, "ROOT", checkout / "inside")
    assert git_commit() is None


def test_variables_of_git_name_no_other_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(checkout.with_name("other") / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(checkout.with_name("other")))
    assert git_commit() == git(checkout, "rev-parse", "HEAD")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_checkout_of_another_owner_has_a_commit(checkout: Path) -> None:
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, 65534, 65534)
    assert git_commit() == git(checkout, "rev-parse", "HEAD")
