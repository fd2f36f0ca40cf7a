"""experiments/sweeps/slurm.py without a Slurm: missing or slow programs, and credentials."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from distributed import Security

import run
from experiments.sweeps import slurm
from experiments.sweeps.slurm import SlurmJobs, credential_files


def test_without_slurm_a_sweep_is_refused_before_its_points_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run.main(["sweep", "none", "--cluster", "slurm", "--workers", "2"]) == 2
    assert "got no sbatch" in capsys.readouterr().err


def test_an_sbatch_that_does_not_answer_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(slurm, "SECONDS", 0.2)
    monkeypatch.setattr(slurm, "LOOK_SECONDS", 0.0)
    logged: list[str] = []
    names: list[str] = []

    def script(name: str) -> str:
        names.append(name)
        return ""

    jobs = SlurmJobs(2, script, tmp_path, logged.append)
    jobs.tend((), 2)
    jobs.tend((), 2)
    assert logged[0] == "Slurm does not answer: sbatch takes too long"
    assert names == ["worker-0", "worker-1"]  # a job that was queued all the same keeps its name


def test_ctrl_c_in_a_terminal_does_not_reach_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal signals the processes of its session."""
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\nread -r _ _ _ _ _ session _ < /proc/$$/stat\necho $session\n")
    sbatch.chmod(0o755)
    scancel = tmp_path / "scancel"
    scancel.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/cancelled\n')
    scancel.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    jobs = SlurmJobs(1, lambda name: name, tmp_path, print)
    jobs.tend((), 1)
    jobs.cancel()
    session = int((tmp_path / "cancelled").read_text())
    assert session != os.getsid(0)


def test_two_sweeps_at_once_keep_their_credentials(tmp_path: Path) -> None:
    with credential_files(Security.temporary(), tmp_path) as one:
        with credential_files(Security.temporary(), tmp_path) as other:
            paths = [Path(each.get_tls_config_for_role("worker")["key"]) for each in (one, other)]
        key, of_other = paths
        assert not of_other.exists()
        assert "PRIVATE KEY" in key.read_text()
        assert key.stat().st_mode & 0o77 == key.parent.stat().st_mode & 0o77 == 0
    assert [*tmp_path.iterdir()] == []
