"""The memory of a run, and the figure and criterion that read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.building import TakesMoreMemory
from experiments.studies.subjects.width import ByWidth, RelativeLossByWidth
from tests.handmade import finished_run

MIB = 2**20


def run_of(folder: Path, name: str, added: int | None, *overrides: str) -> Run:
    """A finished run whose training took `added` MiB beyond 500."""
    run = finished_run(folder, name, [[0.6, 0.5], [0.6, 0.52]], overrides=overrides)
    if added is not None:
        run.summary["memory"] = {"before": 500 * MIB, "peak": (500 + added) * MIB, "since": "run"}
    return run


def points(line: Any) -> list[list[float]]:
    """The (x, y) of a line in a picture."""
    found: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return found


def test_memory_is_compared_beyond_what_the_process_held(tmp_path: Path) -> None:
    runs = StudyRuns({"wide": run_of(tmp_path, "wide", 90), "narrow": run_of(tmp_path, "n", 30)})
    for times, verdict in ((2.9, "holds"), (3.1, "fails")):
        criterion = TakesMoreMemory.model_validate(
            {"run": "wide", "against": "narrow", "times": times}
        )
        found = criterion.decide(runs)
        assert (found.verdict, found.value) == (verdict, 3.0)
        assert "wide 90 MiB, narrow 30 MiB" in found.note


def test_a_run_without_a_record_decides_nothing(tmp_path: Path) -> None:
    runs = StudyRuns({"new": run_of(tmp_path, "new", 90), "old": run_of(tmp_path, "old", None)})
    criterion = TakesMoreMemory.model_validate({"run": "new", "against": "old", "times": 2})
    with pytest.raises(NotRun, match=r"run old: its summary\.json has no memory"):
        criterion.decide(runs)


def test_runs_with_one_label_are_a_line_in_the_order_of_their_width(tmp_path: Path) -> None:
    widths = {"b": 40, "a": 20, "c": 80}
    there = {
        name: run_of(tmp_path, name, width, f"graph.num_steps={width}")
        for name, width in widths.items()
    }
    there["s"] = run_of(tmp_path, "s", 10, "graph.num_steps=20")
    labels = dict.fromkeys(widths, "dynamic") | {"s": "static"}
    figure = ByWidth.model_validate({"labels": labels}).draw("t", StudyRuns(there))
    time, memory, _ = figure.axes
    dynamic, static = map(points, memory.get_lines())
    assert dynamic == [[20, 20], [40, 40], [80, 80]]
    assert static == [[20, 10]]
    assert [line.get_label() for line in time.get_lines()] == ["dynamic", "static"]
    assert points(time.get_lines()[0]) == [[20, 1000], [40, 1000], [80, 1000]]


def test_a_run_of_one_row_is_too_short_to_time(tmp_path: Path) -> None:
    runs = StudyRuns({"a": finished_run(tmp_path, "a", [[0.6], [0.6]])})
    figure = ByWidth.model_validate({"labels": {"a": "a"}})
    with pytest.raises(NotRun, match="run a: too short to time"):
        figure.draw("t", runs)


def test_losses_are_relative_to_the_largest_reference_loss(tmp_path: Path) -> None:
    there = {
        name: run_of(tmp_path, name, None, f"graph.num_steps={width}")
        for name, width in {"wide": 80, "narrow": 20}.items()
    }  # floors of 0.6 and 0.4
    labels = dict.fromkeys(there, "one line")
    figure = RelativeLossByWidth.model_validate({"labels": labels}).draw("t", StudyRuns(there))
    line = figure.axes[0].get_lines()[0]
    finals = there["wide"].final_losses
    assert finals == {0: 0.5, 1: 0.52}
    np.testing.assert_allclose(points(line), [[20, 0.51 / 0.6], [80, 0.51 / 0.6]])
    assert [*there["wide"].floors.values()] == [0.6, 0.4]
