"""experiments/studies/subjects/depths.py: the depth that an adaptive style chose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from experiments.reporting.claims import NotRun
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.depths import AREA, METRIC, ChoosesAtLeast, DepthByEpoch


def run_of(*chosen: tuple[int, ...]) -> Any:
    """A run whose seeds chose these depths, one an epoch."""

    def row(epoch: int, depth: int) -> Any:
        return SimpleNamespace(epoch=epoch, metrics={METRIC: float(depth)})

    rows = {
        seed: [row(epoch, depth) for epoch, depth in enumerate(depths)]
        for seed, depths in enumerate(chosen)
    }
    return SimpleNamespace(label="a", rows_by_seed=rows)


def test_the_area_of_a_dot_is_the_number_of_seeds_that_chose_its_depth() -> None:
    runs = StudyRuns({"a": run_of((20, 10), (20, 10), (20, 4)), "b": run_of((20, 1))})
    labels = {RunName("a"): "δ = 0.5", RunName("b"): "δ = 0.9"}
    (axes,) = DepthByEpoch(labels=labels).draw("t", runs).axes
    first, second = axes.collections
    assert isinstance(first, PathCollection)
    assert first.get_sizes().tolist() == [3 * AREA, 2 * AREA, AREA]
    for dots, places in (
        (first, [[0.9, 20], [1.9, 10], [1.9, 4]]),
        (second, [[1.1, 20], [2.1, 1]]),
    ):
        np.testing.assert_allclose(np.asarray(dots.get_offsets(), float), np.array(places))


def test_the_last_epoch_decides() -> None:
    criterion = ChoosesAtLeast(run=RunName("a"), depth=10)
    seeds = [(1, 10)] * 10
    assert criterion.decide(StudyRuns({"a": run_of(*seeds)})).verdict == "holds"
    assert criterion.decide(StudyRuns({"a": run_of(*[(20, 9)] * 10)})).verdict == "fails"


def test_without_the_metric_it_is_not_run() -> None:
    run: Any = SimpleNamespace(label="a", rows_by_seed={0: [SimpleNamespace(epoch=0, metrics={})]})
    with pytest.raises(NotRun, match="no row has chosen_depth"):
        ChoosesAtLeast(run=RunName("a"), depth=1).decide(StudyRuns({"a": run}))
