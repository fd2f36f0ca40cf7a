"""The study horizon: what its measures and its figure make of runs whose probes are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.runs.run import Run
from experiments.studies.criteria import MEASURES
from experiments.studies.horizon import Place, learned_by_place, least_effective_depth
from experiments.studies.horizon_figure import HALVES, horizon
from tests.handmade import finished_run

YES, NO = True, False


def run_at(
    folder: Path, cell: str, lag: int, reach: int, learned: list[bool], kind: str = "tf_style"
) -> Run:
    """A run of some seeds whose error goes back `reach` steps."""
    place = {
        "tf_style": [f"graph.num_steps={reach}"],
        "true_bptt": [f"truncation.depth={reach}", "truncation.context=true"],
    }
    overrides = [
        f"truncation.kind={kind}", *place[kind], f"model.cell={cell}",
        f"task.dependencies.0.lag={lag}",
    ]  # fmt: skip
    name = f"{kind},{cell},{lag},{reach}"
    return finished_run(folder, name, [[0.6]] * len(learned), learned, overrides)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """TF style: a gru that learns lag 4 from 5 and lag 8 from 17; an lstm that never learns."""
    folder = tmp_path_factory.mktemp("horizon")
    made = [
        run_at(folder, "gru", 4, 3, [NO, NO]),
        run_at(folder, "gru", 4, 5, [YES, NO]),
        run_at(folder, "gru", 8, 5, [NO, NO]),
        run_at(folder, "gru", 8, 17, [YES, YES]),
        run_at(folder, "lstm", 4, 5, [NO, NO, YES]),
    ]
    return {run.label: run for run in made}


def test_probes_are_counted_by_cell_lag_and_reach(runs: dict[str, Run]) -> None:
    learned = learned_by_place(runs.values())
    assert learned[Place("gru", 4, 5)] == (1, 2)
    assert learned[Place("lstm", 4, 5)] == (1, 3)
    assert least_effective_depth(learned) == {("gru", 4): 5, ("gru", 8): 17, ("lstm", 4): None}


def test_nobody_learned_beyond_reach(runs: dict[str, Run], tmp_path: Path) -> None:
    measure = MEASURES["none_beyond_reach"]
    found = measure(runs, "", names=list(runs))
    assert (found.value, found.holds) == ("0 of 4", True)  # gru lag 4 at 3 and lag 8 at 5
    lucky = run_at(tmp_path, "gru", 8, 8, [NO, YES])
    found = measure({"lucky": lucky}, "", names=["lucky"])
    assert (found.value, found.holds) == ("1 of 2", False)
    assert "gru lag 8 at 8" in found.note


def test_nothing_beyond_reach_is_no_evidence(runs: dict[str, Run]) -> None:
    found = MEASURES["none_beyond_reach"](runs, "", names=["tf_style,gru,4,5"])
    assert (found.value, found.seeds, found.holds) == ("0 of 0", 0, False)


@pytest.mark.parametrize(
    ("lags", "factor", "value", "holds"),
    [
        ([4], 1, "4: 5", True),
        ([4, 8], 1, "4: 5; 8: 17", False),
        ([4, 8], 2, "4: 5; 8: 17", True),
    ],
)
def test_half_learn_within(
    runs: dict[str, Run], lags: list[int], factor: float, value: str, holds: bool
) -> None:
    names = [name for name in runs if "gru" in name]
    found = MEASURES["half_learn_within"](runs, "", names=names, lags=lags, factor=factor)
    assert (found.value, found.holds) == (value, holds)


def test_a_lag_that_no_run_has_is_not_learned(runs: dict[str, Run]) -> None:
    found = MEASURES["half_learn_within"](runs, "", names=list(runs), lags=[4, 32], factor=9)
    assert not found.holds


def test_styles_are_alike_where_half_learn_from_the_same_reach(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    same = run_at(tmp_path, "gru", 4, 5, [YES, YES], "true_bptt")
    sooner = run_at(tmp_path, "gru", 8, 9, [YES, YES], "true_bptt")
    both = runs | {"same": same}
    found = MEASURES["same_horizon"](both, "", names=list(both))
    assert (found.value, found.holds) == ("1 of 1 alike", True)
    both["sooner"] = sooner
    found = MEASURES["same_horizon"](both, "", names=list(both))
    assert (found.value, found.holds) == ("1 of 2 alike", False)
    assert found.note.endswith("gru lag 8: 17 and 9")


def test_the_figure_has_a_panel_for_each_cell(runs: dict[str, Run]) -> None:
    gru, lstm = horizon(runs, "title", list(runs), "num_steps").axes
    assert (gru.get_title(), lstm.get_title()) == ("gru", "lstm")
    np.testing.assert_array_equal(shares(gru), [[0, 0.5, np.nan], [np.nan, 0, 1]])
    np.testing.assert_allclose(shares(lstm)[0], [np.nan, 1 / 3, np.nan])
    texts = [text.get_text() for text in gru.texts]
    assert texts == ["0/2", "1/2", "", "", "0/2", "2/2"]
    halves = {
        (tuple(line.get_xdata()), tuple(line.get_ydata()))  # type: ignore[arg-type]
        for line in gru.lines
        if line.get_color() == HALVES
    }
    # Left of 5 at lag 4 and left of 17 at lag 8; none beside what was not run.
    assert ((0.5, 0.5), (-0.5, 0.5)) in halves
    assert ((1.5, 1.5), (0.5, 1.5)) in halves
    assert not any(line.get_color() == HALVES for line in lstm.lines)


def shares(axes: object) -> NDArray[np.float64]:
    values = axes.images[0].get_array()  # type: ignore[attr-defined]
    return np.asarray(np.ma.filled(values, np.nan), np.float64)
