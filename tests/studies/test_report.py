"""experiments/studies/report.py: the pictures, the tables and the report of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import matplotlib
import pytest
from cycler import cycler

from experiments.studies.report import draw, figures_of_claims, runs_table, write_study_report
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import FigureSpec, StudyConfig
from experiments.studies.subjects.curves import Curves
from experiments.sweeps.points import Point
from tests.handmade import EVERY, LATE, SOON, TIME_STEPS, finished_run
from tests.studies.small_study import FIGURE, study_of

HOSTILE: Any = {  # settings of a matplotlibrc that would change or break a picture
    "text.usetex": True, "backend": "pdf", "savefig.format": "svg", "savefig.bbox": "tight",
    "figure.figsize": [1.0, 1.0], "axes.grid": True, "axes.facecolor": "black", "font.size": 40.0,
    "lines.linewidth": 9.0, "axes.prop_cycle": cycler(color=["white"]),
}  # fmt: skip


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
            assert draw(spec, runs, folder)
            pictures.append((folder / "f.png").read_bytes())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("debug", [False, True])
def test_a_figure_that_breaks_is_left_out_and_says_why(
    debug: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ValueError("no points")

    monkeypatch.setattr(Curves, "draw", broken)
    content = {"kind": "curves", "arguments": {"labels": {"a": "a"}}}
    spec = FigureSpec.model_validate(FIGURE | content)
    (tmp_path / "a.png").write_bytes(b"stale")
    runs = StudyRuns({"a": finished_run(tmp_path / "runs", "a", [[0.6]])})
    assert draw(spec, runs, tmp_path, debug) is None
    shown = capsys.readouterr().err
    assert "figure a: left out: ValueError: no points" in shown
    assert ("Traceback" in shown) == debug
    assert not (tmp_path / "a.png").exists()


def test_a_claim_on_a_pattern_is_linked_to_the_figure_of_its_runs() -> None:
    study = study_of("curves_agree", names=["n/*"], tolerance=1)
    other = FIGURE | {"id": "other", "arguments": {"labels": {"tf9": "a"}}}
    figure = FIGURE | {
        "id": "f",
        "arguments": {"labels": {name: name for name in study.grids["n"].runs("n")}},
    }
    specs = tuple(map(FigureSpec.model_validate, (other, figure)))
    assert figures_of_claims(study.model_copy(update={"figures": specs})) == {"a": "f"}


def test_learning_curves_can_be_explored_in_the_report(tmp_path: Path) -> None:
    arguments = {"labels": {"a": "run a"}, "published": {"10": 0.55}}
    spec = FigureSpec.model_validate(FIGURE | {"kind": "curves", "arguments": arguments})
    run = finished_run(tmp_path / "runs", "a", [[0.6, 0.5], [0.6, 0.4]])
    figure = draw(spec, StudyRuns({"a": run}), tmp_path)
    assert figure is not None
    assert figure.chart is not None
    (line,) = figure.chart.lines
    assert (line.label, line.seeds) == ("run a", 2)
    assert list(line.points["updates"].mean) == pytest.approx([0.6, 0.45])
    assert figure.chart.marks is not None
    assert dict(figure.chart.marks.values) == {10: 0.55}


def study_with(*figures: str) -> StudyConfig:
    arguments = {"labels": {"a": "run a"}}
    specs = [FIGURE | {"id": each, "kind": "curves", "arguments": arguments} for each in figures]
    content = {"description": "d", "title": "t", "runs": {"a": {"experiment": "lag_17"}}}
    return StudyConfig.model_validate(content | {"figures": specs})


def test_a_chart_that_breaks_takes_its_figure_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("no points")

    monkeypatch.setattr(Curves, "chart", broken)
    run = finished_run(tmp_path / "runs", "a", [[0.6, 0.5]])
    points = [Point("a", (), run.config, run.directory.path)]
    report = write_study_report(study_with("f"), points, StudyRuns({"a": run}), [], tmp_path)
    assert "figure f: left out: ZeroDivisionError" in capsys.readouterr().err
    assert report.is_file()
    assert not (tmp_path / "f.png").exists()


def test_no_picture_of_an_earlier_report_stays(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "mine.png").write_bytes(b"not of a report")
    run = finished_run(tmp_path / "runs", "a", [[0.6, 0.5]])
    points = [Point("a", (), run.config, run.directory.path)]
    for figures in (("first", "second"), ("second", "third")):
        write_study_report(study_with(*figures), points, StudyRuns({"a": run}), [], folder)
    found = sorted(path.name for path in folder.glob("*.png"))
    assert found == ["mine.png", "second.png", "third.png"]


def test_the_table_of_runs_has_seconds_of_one_seed_and_both_sides_of_the_middle(
    tmp_path: Path,
) -> None:
    losses = [[0.41], [0.42], [0.43], [0.44], [0.60]]
    run = finished_run(tmp_path, "a", losses, step_seconds=[1e-4, 2e-4, 3e-4, 4e-4, 5e-4])
    table = runs_table({"a": run}, {"a": ""})
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["seconds a seed"] == f"{3e-4 * EVERY * TIME_STEPS:.1f}"
    assert row["either side of the middle"] == "4 at 0.4250, 1 at 0.6000"
    assert row["bootstrap"]
    assert str(row["interquartile mean"]).startswith("0.4300 (")  # of 0.42, 0.43 and 0.44
