"""Criteria on what a run costs: seconds to build its graph, parameters, memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.reporting.claims import NotRun
from experiments.runs import checkpoints
from experiments.runs.run import read_run
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.building import (
    BuildsFaster,
    FewerParameters,
    TakesMoreMemory,
    parameters,
)
from experiments.training import runner
from tests.conftest import SMALL
from tests.handmade import run_with_memory


def test_parameters_and_building(tmp_path: Path) -> None:
    keys = [*SMALL, "training.epochs=1", "task.size=2000", "model.state_size=5"]
    runner.train(load_config("r2rt_n5", [*keys, "model.cell=gru"]), tmp_path / "gru")
    wide = ["model.cell=basic_lstm", "graph.num_steps=25", "optimizer.kind=adam"]
    runner.train(load_config("r2rt_n5", [*keys, *wide]), tmp_path / "lstm")
    there = {name: read_run(tmp_path / name, name) for name in ("gru", "lstm")}
    # Two inputs and five units: 3 or 4 gates with a bias, and a softmax of two classes.
    assert parameters(there["gru"]) == 3 * 5 * (2 + 5 + 1) + 2 * (5 + 1)
    assert parameters(there["lstm"]) == 4 * 5 * (2 + 5 + 1) + 2 * (5 + 1)
    runs = StudyRuns(there)
    for share, verdict in ((0.8, "holds"), (0.7, "fails")):
        found = FewerParameters(run="gru", against="lstm", share=share).decide(runs)  # type: ignore[arg-type]
        assert (found.verdict, found.exact) == (verdict, True)
    found = BuildsFaster(run="gru", against="lstm", times=1.1).decide(runs)  # type: ignore[arg-type]
    assert (found.verdict, found.exact) == ("holds", False)  # a fifth of the steps
    for path in (tmp_path / "gru" / "checkpoint").rglob("*.npz"):
        path.unlink()
    assert checkpoints.newest(there["gru"].directory.checkpoints, 0).checkpoint is None
    with pytest.raises(NotRun, match="no checkpoint"):
        parameters(there["gru"])
    assert np.isfinite(list(there["gru"].final_losses.values())).all()


def test_memory_is_compared_beyond_what_the_process_held(tmp_path: Path) -> None:
    runs = StudyRuns(
        {
            "wide": run_with_memory(tmp_path, "wide", 90),
            "narrow": run_with_memory(tmp_path, "n", 30),
        }
    )
    for times, verdict in ((2.9, "holds"), (3.1, "fails")):
        criterion = TakesMoreMemory.model_validate(
            {"run": "wide", "against": "narrow", "times": times}
        )
        found = criterion.decide(runs)
        assert (found.verdict, found.value, found.exact) == (verdict, 3.0, False)
        assert "measured once, not tested" in found.note
        assert "wide 90 MiB, narrow 30 MiB" in found.note


def test_a_run_without_a_record_decides_nothing(tmp_path: Path) -> None:
    runs = StudyRuns(
        {"new": run_with_memory(tmp_path, "new", 90), "old": run_with_memory(tmp_path, "old", None)}
    )
    criterion = TakesMoreMemory.model_validate({"run": "new", "against": "old", "times": 2})
    with pytest.raises(NotRun, match=r"run old: its summary\.json has no memory"):
        criterion.decide(runs)
