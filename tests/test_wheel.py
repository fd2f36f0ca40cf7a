"""The wheel: it holds what the program reads, and runs from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.config.catalog import names
from tests.conftest import ROOT, SMALL, TIMEOUT, summary_of

PACKAGES = ("configs", "data", "experiments", "rnn_graphs")
SOURCES = (
    *PACKAGES,
    "run.py",
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
)
NO_SOURCE = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def pip(*arguments: str | Path) -> None:
    """pip, without the network and without an environment of its own to build in."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(
        [*command, "--no-deps", "--no-index"], capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources: building leaves files beside them."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=NO_SOURCE)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", source, "--no-build-isolation", "--wheel-dir", folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as a site-packages is."""
    folder = tmp_path_factory.mktemp("site")
    pip("install", wheel, "--target", folder)
    return folder


def run_installed(
    command: Sequence[str | Path], installed: Path, cwd: Path
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "experiments", *arguments]


def test_it_holds_every_file_of_its_packages(source: Path, wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    on_disk = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    assert held == on_disk | {"run.py"}
    assert {"configs/base.yaml", "configs/task/text.yaml"} < held
    templates = {".j2", ".css", ".js", ".md", ""}  # without a suffix: uPlot's license
    assert {Path(name).suffix for name in held} == {".py", ".yaml", ".csv", ".json"} | templates


@pytest.mark.parametrize("start", ["module", "script"])
def test_it_lists_every_experiment_from_another_folder(
    start: str, installed: Path, tmp_path: Path
) -> None:
    script = [sys.executable, installed / "bin" / "rnn-experiments"]
    command = program() if start == "module" else script
    listed = run_installed([*command, "list"], installed, tmp_path).stdout.split()
    for kind in ("experiment", "sweep", "study"):
        assert set(names(kind)) <= set(listed)


def test_its_configs_are_those_of_the_repository(installed: Path, tmp_path: Path) -> None:
    code = "import experiments.paths as paths; print(paths.CONFIGS, paths.__file__)"
    found = run_installed([sys.executable, "-c", code], installed, tmp_path).stdout.split()
    assert [Path(path).is_relative_to(installed) for path in found] == [True, True]
    ours = run_installed(program("config", "r2rt_n5"), installed, tmp_path).stdout
    theirs = run_installed([sys.executable, ROOT / "run.py", "config", "r2rt_n5"], ROOT, tmp_path)
    assert ours == theirs.stdout


def test_it_trains_and_compares_in_a_folder_with_modules_of_the_same_names(
    installed: Path, tmp_path: Path
) -> None:
    for name in ("run.py", "data.py", "json.py", "yaml.py", "random.py"):
        (tmp_path / name).write_text("raise SystemExit('a module of the current folder')\n")
    run_installed(program("train", "r2rt_n5", *SMALL, "--run-dir", "here"), installed, tmp_path)
    summary = summary_of(tmp_path / "here")
    assert summary["status"] == "complete"
    assert summary["git_commit"] is None
    run_installed(program("compare", "here", "--out", "report"), installed, tmp_path)
    assert (tmp_path / "report" / "report.html").is_file()


def test_it_sweeps_in_such_a_folder_too(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("raise SystemExit('a module of the current folder')\n")
    grid = ("training.epochs=1", "logging.tensorboard=false")
    run_installed(program("sweep", "r2rt_n5", *SMALL, *grid), installed, tmp_path)
    (summary,) = tmp_path.glob("runs/r2rt_n5/*/summary.json")
    assert summary_of(summary.parent)["status"] == "complete"
