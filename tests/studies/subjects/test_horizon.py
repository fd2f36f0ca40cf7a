"""The study horizon: what its criteria and its figure make of runs whose probes are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.studies.entries import Entry
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion, make_figure
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.horizon import (
    HALVES,
    GridCell,
    learned_by_cell,
    least_effective_depth,
)
from tests.handmade import finished_run

YES, NO = True, False


def run_at(
    folder: Path, cell: str, lag: int, depth: int, learned: list[bool], kind: str = "tf_style"
) -> Run:
    """A run of some seeds whose error goes back `depth` applications."""
    width = {
        "tf_style": [f"graph.num_steps={depth}"],
        "true_bptt": [f"truncation.depth={depth}", "truncation.context=true"],
    }
    overrides = [
        f"truncation.kind={kind}", *width[kind], f"model.cell={cell}",
        f"task.dependencies.0.lag={lag}",
    ]  # fmt: skip
    name = f"{kind},{cell},{lag},{depth}"
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


def test_probes_are_counted_by_cell_lag_and_depth(runs: dict[str, Run]) -> None:
    learned = learned_by_cell(runs.values())
    assert learned[GridCell("gru", 4, 5)] == (1, 2)
    assert learned[GridCell("lstm", 4, 5)] == (1, 3)
    assert least_effective_depth(learned) == {("gru", 4): 5, ("gru", 8): 17, ("lstm", 4): None}


def decide(kind: str, runs: dict[str, Run], **arguments: object) -> Finding:
    """The finding of all of these runs."""
    arguments = {"names": ["*"], **arguments}
    return make_criterion(kind, arguments).decide(StudyRuns(runs))


def test_nobody_learned_beyond_depth(runs: dict[str, Run], tmp_path: Path) -> None:
    found = decide("none_beyond_depth", runs)  # gru lag 4 at 3 and lag 8 at 5
    assert (found.value, found.verdict) == ("0 of 2", "undecided")  # 2 seeds tell little
    many = {"many": run_at(tmp_path, "gru", 8, 8, [NO] * 40)}
    found = decide("none_beyond_depth", many)
    assert (found.value, found.verdict) == ("0 of 40", "holds")
    lucky = {"lucky": run_at(tmp_path / "b", "gru", 8, 8, [YES] * 3 + [NO])}
    found = decide("none_beyond_depth", lucky)
    assert (found.value, found.verdict) == ("3 of 4", "fails")
    assert "gru lag 8 at 8" in found.note


def test_runs_of_the_same_seeds_are_no_further_evidence(tmp_path: Path) -> None:
    """Of 40 runs of one seed nothing is known of another seed."""
    runs = [run_at(tmp_path, "gru", 50, depth, [NO]) for depth in range(4, 44)]
    found = decide("none_beyond_depth", {run.label: run for run in runs})
    assert (found.value, found.verdict) == ("0 of 1", "undecided")


def test_nothing_beyond_depth_is_no_evidence(runs: dict[str, Run]) -> None:
    with pytest.raises(NotRun, match="no run has a depth of at most its lag"):
        decide("none_beyond_depth", runs, names=["tf_style,gru,4,5"])


@pytest.fixture(scope="module")
def eight_seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Eight seeds each: lag 4 is learned at 5, lag 8 by some at 9 and by all at 17."""
    folder = tmp_path_factory.mktemp("eight_seeds")
    made = [
        run_at(folder, "gru", 4, 3, [NO] * 8),
        run_at(folder, "gru", 4, 5, [YES] * 8),
        run_at(folder, "gru", 8, 9, [YES] * 2 + [NO] * 6),
        run_at(folder, "gru", 8, 17, [YES] * 8),
        run_at(folder, "gru", 16, 17, [NO] * 8),
    ]
    return {run.label: run for run in made}


@pytest.mark.parametrize(
    ("lags", "factor", "value", "verdict"),
    [
        ([4], 1, "4: 5", "holds"),
        ([4, 8], 1, "4: 5; 8: 17", "undecided"),  # 2 of 8 may well be half
        ([4, 8], 2, "4: 5; 8: 17", "holds"),
        ([4, 16], 1, "4: 5; 16: none", "fails"),
    ],
)
def test_half_learn_within(
    eight_seeds: dict[str, Run], lags: list[int], factor: float, value: str, verdict: str
) -> None:
    found = decide("half_learn_within", eight_seeds, lags=lags, factor=factor)
    assert (found.value, found.verdict) == (value, verdict)


def test_a_lag_that_no_run_has_is_not_decided(runs: dict[str, Run]) -> None:
    with pytest.raises(NotRun, match="no run of lag 32"):
        decide("half_learn_within", runs, lags=[4, 32], factor=9)


@pytest.mark.parametrize(
    ("lag", "depth", "learned", "value", "verdict"),
    [
        (4, 5, [YES] * 8, "1 of 1 alike", "holds"),
        (4, 5, [YES] * 4, "1 of 1 alike", "undecided"),
        (4, 5, [NO] * 8, "0 of 1 alike", "fails"),
        (8, 9, [YES] * 8, "0 of 1 alike", "undecided"),  # beside 2 of 8
    ],
)
def test_styles_are_alike_where_half_learn_from_the_same_depth(
    lag: int, depth: int, learned: list[bool], value: str, verdict: str,
    eight_seeds: dict[str, Run], tmp_path: Path,
) -> None:  # fmt: skip
    other = run_at(tmp_path, "gru", lag, depth, learned, "true_bptt")
    found = decide("same_horizon", {**eight_seeds, "other": other})
    assert (found.value, found.verdict) == (value, verdict)


def test_styles_without_a_depth_in_common_are_not_compared(
    eight_seeds: dict[str, Run], tmp_path: Path
) -> None:
    other = run_at(tmp_path, "gru", 8, 16, [YES] * 8, "true_bptt")
    with pytest.raises(NotRun, match="tf_style and true_bptt have no cell, lag and depth in comm"):
        decide("same_horizon", {**eight_seeds, "other": other})


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("half_learn_within", {"lags": [17, 4], "factor": 1}, "lags of the runs, 17; got 4"),
        (
            "half_learn_within",
            {"lags": [17], "factor": 1},
            "no run of scratch and lag 17 with a depth of at most 18",
        ),
        ("same_horizon", {}, "expected runs of two styles; got full"),
        ("none_beyond_depth", {}, "none of these runs has a depth of at most its lag"),
    ],
)
def test_what_the_runs_will_not_have_is_named(
    kind: str, arguments: dict[str, object], message: str
) -> None:
    criterion = make_criterion(kind, {"names": ["*"], **arguments})
    with pytest.raises(ValueError, match=message):
        criterion.check({"run": PlannedRun("run", load_config("lag_17"))})


def test_styles_that_will_have_no_depth_in_common_are_refused() -> None:
    configs = {
        "full": load_config("lag_17"),
        "tf": load_config("lag_17", ["truncation.kind=tf_style", "graph.num_steps=18"]),
    }
    planned = {name: PlannedRun(name, config) for name, config in configs.items()}
    with pytest.raises(ValueError, match="full and tf_style have no cell, lag and depth in common"):
        make_criterion("same_horizon", {"names": ["*"]}).check(planned)


def planned_at(*kinds: str) -> dict[str, PlannedRun]:
    """Runs a, b … of one lag and one depth, of these styles."""
    styles = {
        "tf_style": ["graph.num_steps=18"],
        "true_bptt": ["truncation.kind=true_bptt", "truncation.depth=18"],
    }
    configs = [load_config("lag_17", styles[kind]) for kind in kinds]
    return {name: PlannedRun(name, config) for name, config in zip("abc", configs, strict=False)}


@pytest.mark.parametrize(
    ("make", "kind", "arguments"),
    [
        (make_criterion, "half_learn_within", {"lags": [17], "factor": 1}),
        (make_criterion, "same_horizon", {}),
        (make_figure, "horizon", {"against": "num_steps"}),
    ],
)
def test_two_runs_of_one_cell_of_the_grid_are_refused(
    make: Callable[..., Entry], kind: str, arguments: dict[str, object]
) -> None:
    entry = make(kind, {"names": ["*"], **arguments})
    runs = planned_at("tf_style", "tf_style", *["true_bptt"] * (kind == "same_horizon"))
    with pytest.raises(ValueError, match="lag 17 at depth 18; got a and b"):
        entry.check(runs)


def test_overrides_that_make_two_runs_one_cell_leave_nothing_to_decide(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    twin = run_at(tmp_path, "gru", 4, 5, [NO, NO])
    with pytest.raises(NotRun, match="run twin: another is of gru and lag 4 at depth 5"):
        decide(
            "half_learn_within", {**runs, "twin": replace(twin, label="twin")}, lags=[4], factor=1
        )


def test_styles_may_be_at_the_same_depth() -> None:
    make_criterion("same_horizon", {"names": ["*"]}).check(planned_at("tf_style", "true_bptt"))


def test_a_run_of_two_lags_has_no_horizon() -> None:
    figure = make_figure("horizon", {"names": ["*"], "against": "num_steps"})
    with pytest.raises(ValueError, match="run run: expected a task of one lag; it has 2"):
        figure.check({"run": PlannedRun("run", load_config("r2rt_n5"))})


def test_the_axis_is_what_errors_reach() -> None:
    figure = make_figure("horizon", {"names": ["*"], "against": "num_steps"})
    overrides = ["truncation.kind=true_bptt", "truncation.depth=9"]
    with pytest.raises(ValueError, match="reach 9 cell applications; its num_steps is 54"):
        figure.check({"run": PlannedRun("run", load_config("lag_17", overrides))})


def test_the_figure_has_a_panel_for_each_cell(runs: dict[str, Run]) -> None:
    figure = make_figure("horizon", {"names": ["*"], "against": "num_steps"})
    gru, lstm = figure.draw("title", StudyRuns(runs)).axes
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
