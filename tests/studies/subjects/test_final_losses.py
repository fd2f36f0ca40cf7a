"""The figure of final losses: what is drawn is what the runs hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from tests.handmade import finished_run
from tests.studies.subjects.entries import draw, points


def test_a_single_seed_has_a_mean_and_no_bar(tmp_path: Path) -> None:
    runs = {
        "one": finished_run(tmp_path, "one", [[0.6, 0.5]]),
        "two": finished_run(tmp_path, "two", [[0.6, 0.5], [0.6, 0.4]]),
    }
    (axes,) = draw("final_losses", runs, labels={name: name for name in runs}).axes
    means = [points(line)[0, 1] for line in axes.lines if line.get_marker() == "s"]
    assert means == pytest.approx([0.5, 0.45])
    collections = [each for each in axes.collections if isinstance(each, LineCollection)]
    one, two = (np.asarray(bar) for each in collections for bar in each.get_segments())
    assert one.size == 0
    assert two[:, 1].tolist() == pytest.approx(runs["two"].final_loss[1:])


def test_final_losses_of_a_task_without_floors(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [[0.6, 0.5], [0.6, 0.4]])
    run.summary["floors"] = {}
    (axes,) = draw("final_losses", {"run": run}, labels={"run": "a run"}).axes
    low, high = axes.get_ylim()
    assert low < 0.4 < 0.5 < high
