"""experiments/sweeps/slurm.py on a real Slurm: jobs that end, that wait, and that must not stay."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import TIMEOUT, command, run_command, summary_of

pytestmark = pytest.mark.faults

SWEEP = (
    "sweep", "r2rt_n5", "graph.num_steps=1,5", "task.size=20000", "graph.batch_size=20",
    "execution.xla=off", "logging.checkpoint_seconds=0", "--cluster", "slurm",
)  # fmt: skip
LONG = ("training.epochs=60",)  # half a minute


def slurm(*arguments: str) -> str:
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(autouse=True)
def queue() -> Iterator[None]:
    """An empty queue, before and after."""
    if shutil.which("sinfo") is None:
        pytest.skip("needs a Slurm: sinfo is not here (.ci/slurm starts one on Debian, as root)")
    asked = subprocess.run(["sinfo", "--noheader"], capture_output=True, text=True)
    if asked.returncode:
        pytest.skip(f"needs a Slurm that answers: {asked.stderr.strip()}")
    with open(Path(tempfile.gettempdir()) / "tests-on-slurm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests of all processes take turns
        slurm("scancel", "--me")
        wait(lambda: not slurm("squeue", "--noheader", "--me"))
        yield
        slurm("scancel", "--me")


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with open(tmp_path / "shown.txt", "w") as shown:
        return subprocess.Popen(
            command(*SWEEP, *arguments), cwd=tmp_path, stdout=shown, stderr=subprocess.STDOUT
        )


def shown(tmp_path: Path) -> str:
    return (tmp_path / "shown.txt").read_text()


def test_points_are_trained_and_nothing_is_left(tmp_path: Path) -> None:
    done = run_command((*SWEEP, "--workers", "2"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = tmp_path / "runs" / "r2rt_n5"
    folders = [path for path in runs.iterdir() if path.name != "slurm"]
    assert [summary_of(folder)["status"] for folder in folders] == ["complete"] * 2
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "reports"}  # no slurm-1.out
    assert {path.suffix for path in (runs / "slurm").iterdir()} == {".out", ".err"}  # no key either
    wait(lambda: not slurm("squeue", "--noheader", "--me"))


def test_jobs_that_end_are_submitted_again(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG, "--workers", "1")
    wait(lambda: bool(list(tmp_path.glob("runs/*/*/checkpoint/*/*.npz"))))
    first = slurm("squeue", "--noheader", "--me", "--format", "%i")
    slurm("scancel", first)
    assert process.wait(TIMEOUT) == 0, shown(tmp_path)
    assert f"Slurm job {first} ended" in shown(tmp_path)
    wait(lambda: not slurm("squeue", "--noheader", "--me"))


def test_a_wait_has_its_reason_and_ctrl_c_leaves_no_job(tmp_path: Path) -> None:
    slurm("sbatch", "--exclusive", "--output", str(tmp_path / "other"), "--wrap", "sleep 300")
    process = start(tmp_path, "--workers", "2")
    wait(lambda: "PENDING (" in shown(tmp_path))
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT) == 130, shown(tmp_path)
    assert slurm("squeue", "--noheader", "--me", "--format", "%j") == "wrap"


def test_jobs_that_cannot_work_end_the_sweep_with_their_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_JOBQUEUE__SLURM__PYTHON", "/no/such/python")
    done = run_command((*SWEEP, "--workers", "1"), tmp_path)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert "5 jobs in a row ended before their workers connected" in line
    assert "/no/such/python" in line
