"""The peak memory of a run: its own, not that of what the process did before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.paths import ROOT
from experiments.runs.run import read_run
from experiments.training import physical_memory, runner
from experiments.training.physical_memory import PeakMemory
from tests.conftest import SMALL, summary_of

MIB = 2**20


def hold(mib: int) -> None:
    """Touch this much memory, and give it back."""
    np.ones(mib * MIB, np.int8)


@pytest.mark.skipif(
    not physical_memory.CLEAR.exists(), reason="the system cannot set its peak back"
)
def test_an_earlier_peak_does_not_count() -> None:
    hold(400)
    first = PeakMemory()
    hold(200)
    one = first.read()
    second = PeakMemory()
    hold(100)
    other = second.read()
    assert one.since == other.since == "run"
    assert 190 * MIB < one.peak - one.before < 230 * MIB
    assert 90 * MIB < other.peak - other.before < 130 * MIB


def test_elsewhere_the_peak_is_that_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(physical_memory, "CLEAR", tmp_path / "none" / "clear_refs")
    monkeypatch.setattr(physical_memory, "STATUS", tmp_path / "none" / "status")
    found = PeakMemory().read()
    assert found.since == "process"
    assert found.peak >= found.before > 10 * MIB  # NumPy alone takes more


@pytest.mark.usefixtures("only_training")
def test_a_run_keeps_its_memory(tmp_path: Path) -> None:
    config = load_config("r2rt_n5", [*SMALL, "task.size=2000", "training.epochs=1"])
    runner.train(config, tmp_path / "run")
    kept = summary_of(tmp_path / "run")["memory"]
    added = read_run(tmp_path / "run").added_memory
    assert added == kept["peak"] - kept["before"]
    assert added is not None
    assert 0 <= added < 1000 * MIB  # little, where other tests have left memory to use again
    assert kept["peak"] > 100 * MIB  # TensorFlow alone takes more
    runner.train(config, tmp_path / "run")  # which is complete, and keeps it
    assert summary_of(tmp_path / "run")["memory"] == kept


@pytest.mark.slow
def test_a_billion_symbols_train_in_flat_memory(tmp_path: Path) -> None:
    """Two bytes a symbol, in the second epoch as in the first, whatever the number of updates."""
    billion = 10**9
    overrides = [
        f"task.size={billion}", "training.epochs=2", "graph.batch_size=10000",
        "graph.num_steps=10", "logging.every=1000", "logging.tensorboard=false",
    ]  # fmt: skip
    command = [sys.executable, "run.py", "train", "r2rt_n5", *overrides]
    done = subprocess.run(
        [*command, "--run-dir", str(tmp_path / "run")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    run = read_run(tmp_path / "run")
    assert run.summary["updates"] == {"0": 2 * billion // 100_000}
    assert run.added_memory is not None
    assert 2 * billion < run.added_memory < 2.3 * billion + 1000 * MIB
