"""experiments/output.py: a reader that leaves a real pipe takes nothing with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, command
from tests.handmade import finished_run

# The reader is gone before the writer begins, so that every write meets a closed pipe.
GONE = '{ sleep 0.2; exec "$@"; } | true; exit ${PIPESTATUS[0]}'


def after_its_reader(arguments: list[str], cwd: Path) -> tuple[int, str]:
    """The exit code and standard error of a command that writes to a pipe without a reader."""
    done = subprocess.run(
        ["bash", "-c", GONE, "bash", *arguments], cwd=cwd, capture_output=True, text=True
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",), ("list", "--json"), ("config", "r2rt_n5"), ("runs", "."), ("--help",),
        ("diff", "one", "two"), ("sweep", "r2rt_width", "--dry-run"), ("--version",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_printing_command_ends_well(arguments: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("one", "two"):
        finished_run(tmp_path, name, [[0.5]])
    assert after_its_reader(command(*arguments), tmp_path) == (0, "")


def test_an_error_keeps_its_exit_code(tmp_path: Path) -> None:
    code, err = after_its_reader(command("config", "zebra"), tmp_path)
    assert code == 2
    assert err.startswith("error: experiment 'zebra'")


def test_head_gets_its_lines(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | head -1', "bash", *command("config", "r2rt_n5")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "name: r2rt_n5\n", "")


WORK = """
import sys
from pathlib import Path
from experiments.output import outlive_readers
outlive_readers()
for number in range(1000):
    print("x" * 1000)
    print("y", file=sys.stderr)
    sys.stdout.flush()
Path("done").write_text("all of it")
sys.exit(3)
"""


def test_work_goes_on_and_its_exit_code_counts(tmp_path: Path) -> None:
    script = [sys.executable, "-c", WORK]
    done = subprocess.run(
        ["bash", "-c", GONE.replace('"$@"', '"$@" 2>&1'), "bash", *script],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 3
    assert (tmp_path / "done").read_text() == "all of it"
