"""Figures of studies: what is drawn is what the runs hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from cycler import cycler
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.studies.registry import make_figure
from experiments.studies.report import draw as draw_into
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import FigureSpec
from tests.handmade import finished_run

HOSTILE: Any = {  # settings of a matplotlibrc that would change or break a picture
    "text.usetex": True, "backend": "pdf", "savefig.format": "svg", "savefig.bbox": "tight",
    "figure.figsize": [1.0, 1.0], "axes.grid": True, "axes.facecolor": "black", "font.size": 40.0,
    "lines.linewidth": 9.0, "axes.prop_cycle": cycler(color=["white"]),
}  # fmt: skip
SOON, LATE, NEVER = [0.6, 0.4, 0.4], [0.6, 0.6, 0.4], [0.6, 0.6, 0.6]


def draw(kind: str, runs: dict[str, Run], **arguments: object) -> Figure:
    """A figure of these runs, its arguments as YAML has them."""
    return make_figure(kind, arguments).draw("title", StudyRuns(runs, {}))


def points(line: Line2D) -> NDArray[np.float64]:
    """The points that a line is drawn through, [points, 2]."""
    return np.asarray(line.get_xydata(), np.float64)


def test_by_depth_joins_the_runs_of_a_label(tmp_path: Path) -> None:
    depth = "truncation.kind=true_bptt", "truncation.depth="
    runs = {
        "deep": finished_run(
            tmp_path, "deep", [SOON, SOON], [True, True], [depth[0], depth[1] + "27"]
        ),
        "short": finished_run(
            tmp_path, "short", [NEVER, LATE], [False, True], [depth[0], depth[1] + "9"]
        ),
        "full": finished_run(tmp_path, "full", [LATE, LATE], [True, True]),
    }
    labels = {"deep": "true", "short": "true", "full": "full"}
    above, below = draw("by_depth", runs, labels=labels, lag=17).axes
    assert above.get_legend_handles_labels()[1] == ["true", "full"]
    shares = [points(line) for line in above.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(shares[0], [[8.75, 0.5], [26.75, 1]])
    np.testing.assert_array_equal(shares[1], [[54.25, 1]])
    medians = [points(line) for line in below.lines if line.get_marker() == "s"]
    np.testing.assert_array_equal(medians[0], [[26.75, 20]])  # of two seeds one did not learn at 9
    np.testing.assert_array_equal(medians[1], [[54.25, 30]])
    dots = [points(line) for line in below.lines if line.get_alpha()]
    for drawn, expected in zip(
        dots,
        (
            [[8.75, 30]],
            [[26.75, 20]] * 2,
            [[54.25, 30]] * 2,
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(drawn, expected)


def test_by_depth_says_so_where_no_seed_learned(tmp_path: Path) -> None:
    runs = {"run": finished_run(tmp_path, "run", [NEVER, NEVER], [False, False])}
    _, below = draw("by_depth", runs, labels={"run": "full"}, lag=17).axes
    assert [text.get_text() for text in below.texts] == ["no seed learned"]
    assert not below.get_yticks().size


def test_time_per_step_shows_the_least(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON] * 3, pace=[3e-6, 4e-6, 50e-6])
    (axes,) = draw("time_per_step", {"run": run}, labels={"run": "a run"}).axes
    np.testing.assert_allclose(points(axes.lines[0])[:, 1], [3, 4, 50])
    (text,) = axes.texts
    assert (text.get_text(), axes.get_ylabel()) == ("3", "microseconds per time step")


def test_short_time_steps_are_in_nanoseconds(tmp_path: Path) -> None:
    runs = {
        name: finished_run(tmp_path / name, name, [SOON] * 2, pace=[pace, pace])
        for name, pace in [("short", 45.6e-9), ("long", 123e-9)]
    }
    (axes,) = draw("time_per_step", runs, labels={name: name for name in runs}).axes
    assert [text.get_text() for text in axes.texts] == ["45.6", "123"]
    assert axes.get_ylabel() == "nanoseconds per time step"


def test_a_run_of_one_row_is_too_short_to_time(tmp_path: Path) -> None:
    runs = {
        "long": finished_run(tmp_path, "long", [SOON] * 2),
        "short": finished_run(tmp_path, "short", [[0.6], [0.6]]),
    }
    with pytest.raises(NotRun, match="run short: too short to time"):
        draw("time_per_step", runs, labels={name: name for name in runs})


@pytest.mark.parametrize("axis", ["updates", "time_steps", "seconds"])
def test_curves_are_drawn_against_each_axis(axis: str, tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, LATE], pace=[1e-6, 2e-6])
    (axes,) = draw("curves", {"run": run}, labels={"run": "a run"}, axis=axis, individual=True).axes
    mean = axes.lines[0]
    x, losses = run.curves.against(axis)
    np.testing.assert_array_equal(points(mean)[:, 0], x)
    np.testing.assert_allclose(points(mean)[:, 1], np.nanmean(losses, axis=0))


def test_validation_table_draws_what_is_there_beside_what_was_published(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "b", [SOON, SOON])
    run.summary["validation"] = {"per_seed": {"0": 5.1, "1": 5.2}}
    rows = {"first": ["a", "b"], "second": ["c", "d"]}
    minima = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    arguments = {"rows": rows, "columns": ["left", "right"], "minima": minima}
    (axes,) = draw("validation_table", {"b": run}, **arguments).axes
    crosses = [points(line) for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_allclose(crosses, [[[-0.11, 1], [0.89, 3]], [[0.11, 2], [1.11, 4]]])
    dots = [points(line) for line in axes.lines if line.get_marker() == "o"]
    assert [len(dot) for dot in dots] == [0, 0, 2, 0]
    np.testing.assert_allclose(dots[2], [[0.11, 5.1], [0.11, 5.2]])


TABLE = {"rows": {"r": ["a", "b"]}, "columns": ["x", "y"], "minima": {"a": 5.0, "b": 5.1}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": ["x"]}, "rows.'r': expected 1 runs, one a column; got 2"),
        ({"minima": {"a": 5.0}}, "minima: run b: it has no published value"),
        ({"minima": {"a": 5.0, "b": 5.1, "c": 5.2}}, "minima: run c: no row names it"),
    ],
)
def test_a_table_has_a_run_and_a_published_value_in_each_cell(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_figure("validation_table", TABLE | changed)


def test_published_values_are_drawn_at_their_updates(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, LATE])
    (axes,) = draw("curves", {"run": run}, labels={"run": "a run"}, published={10: 0.5}).axes
    (crosses,) = [points(line) for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_array_equal(crosses, [[10, 0.5]])


def test_published_values_are_by_update_alone() -> None:
    arguments = {"labels": {"a": "a"}, "published": {10: 0.5}, "axis": "seconds"}
    with pytest.raises(ValueError, match="published: its keys are updates; axis is seconds"):
        make_figure("curves", arguments)


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


@pytest.mark.parametrize("kind", ["curves", "final_losses", "time_per_step", "by_depth"])
def test_a_user_s_settings_change_no_figure_of_a_study(kind: str, tmp_path: Path) -> None:
    runs = StudyRuns({"a": finished_run(tmp_path, "a", [SOON, LATE], learned=[True, False])})
    arguments = {"labels": {"a": "a $x_ run"}} | ({"lag": 17} if kind == "by_depth" else {})
    content = {"id": "f", "kind": kind, "title": "t", "caption": "c", "arguments": arguments}
    spec = FigureSpec.model_validate(content)
    pictures: list[bytes] = []
    nothing: Any = {}
    for settings in (nothing, HOSTILE):
        with matplotlib.rc_context(settings):
            folder = tmp_path / str(len(pictures))
            folder.mkdir()
            assert draw_into(spec, runs, folder)
            pictures.append((folder / "f.png").read_bytes())
    assert pictures[0] == pictures[1]
