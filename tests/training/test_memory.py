"""The peak memory of a run: its own, not that of what the process did before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.runs.run import read_run
from experiments.training import memory, runner
from experiments.training.memory import PeakMemory
from tests.conftest import SMALL, summary_of

MIB = 2**20


def hold(mib: int) -> None:
    """Touch this much memory, and give it back."""
    np.ones(mib * MIB, np.int8)


@pytest.mark.skipif(not memory.CLEAR.exists(), reason="the system cannot set its peak back")
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
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "none" / "clear_refs")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none" / "status")
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
