"""Figures against num_steps: what is drawn is what the runs hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.reporting.claims import NotRun
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.width import ByWidth, RelativeLossByWidth
from tests.handmade import finished_run, run_with_memory


def points(line: Any) -> list[list[float]]:
    """The (x, y) of a line in a picture."""
    found: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return found


def test_runs_with_one_label_are_a_line_in_the_order_of_their_width(tmp_path: Path) -> None:
    widths = {"b": 40, "a": 20, "c": 80}
    there = {
        name: run_with_memory(tmp_path, name, width, f"graph.num_steps={width}")
        for name, width in widths.items()
    }
    there["s"] = run_with_memory(tmp_path, "s", 10, "graph.num_steps=20")
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
        name: run_with_memory(tmp_path, name, None, f"graph.num_steps={width}")
        for name, width in {"wide": 80, "narrow": 20}.items()
    }  # floors of 0.6 and 0.4
    labels = dict.fromkeys(there, "one line")
    figure = RelativeLossByWidth.model_validate({"labels": labels}).draw("t", StudyRuns(there))
    line = figure.axes[0].get_lines()[0]
    finals = there["wide"].final_losses
    assert finals == {0: 0.5, 1: 0.52}
    np.testing.assert_allclose(points(line), [[20, 0.51 / 0.6], [80, 0.51 / 0.6]])
    assert [*there["wide"].floors.values()] == [0.6, 0.4]
