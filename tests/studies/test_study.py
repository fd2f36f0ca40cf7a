"""Studies: their configs and their verdicts."""

from __future__ import annotations

import json
import re
import shutil
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pydantic import ValidationError

import run
from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.config.own_cells import register_cells
from experiments.errors import UsageError
from experiments.reporting.claims import Claim, Finding, write_claims
from experiments.runs.run import read_run
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies import subjects
from experiments.studies.decisions import decide, read_runs
from experiments.studies.entries import Criterion, StudyFigure
from experiments.studies.findings import judged
from experiments.studies.points import check_names, configs_of, plan
from experiments.studies.registry import CRITERIA, FIGURES
from experiments.studies.report import draw, figures_of_claims, runs_table, write_study_report
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.spec import ClaimSpec, FigureSpec, StudyConfig, load_study
from experiments.studies.subjects.curves import Curves
from experiments.sweeps.points import Point
from experiments.training import runner
from tests.conftest import ROOT, small_config
from tests.handmade import EVERY, TIME_STEPS, finished_run


def thinned(study: StudyConfig) -> StudyConfig:
    """Only the corners of the grids, because checking a config takes a while."""
    grids = {
        name: grid.model_copy(
            update={"over": {key: (values[0], values[-1]) for key, values in grid.over.items()}}
        )
        for name, grid in study.grids.items()
    }
    return study.model_copy(update={"grids": grids})


def test_no_base_that_criteria_or_figures_share_can_be_named() -> None:
    assert [name for name in (*CRITERIA, *FIGURES) if not name[0].isalpha()] == []


def test_every_file_that_defines_a_criterion_or_a_figure_is_read() -> None:
    for path in Path(subjects.__path__[0]).rglob("[a-z]*.py"):
        parts = path.relative_to(Path(subjects.__path__[0])).with_suffix("").parts
        module = import_module(".".join([subjects.__name__, *parts]))
        own = (each for each in vars(module).values() if is_entry(each, module.__name__))
        assert [each for each in own if each.kind() not in {**CRITERIA, **FIGURES}] == []


def is_entry(value: object, module: str) -> bool:
    """Whether it is a criterion or a figure of this module, and not a base of some."""
    if not (isinstance(value, type) and issubclass(value, Criterion | StudyFigure)):
        return False
    return value.__module__ == module and not isabstract(value)


@pytest.mark.usefixtures("known_cells")
@pytest.mark.parametrize("name", names("study"))
def test_every_shipped_study_loads_and_its_configs_are_valid(name: str) -> None:
    study = thinned(load_study(name))
    if named := re.search(r"--cells (\S+)", study.description):
        register_cells(ROOT / named[1])
    for each in study.all_runs.values():
        load_config(each.source, each.overrides)


@pytest.mark.parametrize("name", ["r2rt_part1", "copy_memory"])
def test_a_plan_has_every_run(name: str) -> None:
    study = load_study(name)
    assert [job.name for job in plan(study, ["training.seeds=1"]).points] == [*study.all_runs]


def test_a_study_of_an_own_cell_asks_for_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["reproduce", "r2rt_part2_own_cell"]) == 2
    assert "or a cell of --cells FILE.py; got 'weighted_gru'" in capsys.readouterr().err


def test_unknown_study_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'r2rt_part1'"):
        load_study("r2rt_prat1")


def test_a_wrong_override_stops_before_any_run() -> None:
    with pytest.raises(UsageError, match=r"graph\.num_steps"):
        plan(load_study("r2rt_part1"), ["graph.num_step=3"])


FIGURE = {"id": "a", "kind": "curves", "title": "t", "caption": "c"}


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (
            {"kind": "curve", "arguments": {"labels": {}}},
            "kind: not known: curve; did you mean 'curves'",
        ),
        ({"arguments": {}}, "arguments of curves: labels: this key is needed"),
        (
            {"arguments": {"labels": {"a": "b"}, "axes": "updates"}},
            "arguments of curves: axes: unknown key; did you mean 'axis'",
        ),
        ({"arguments": None}, "a: arguments: expected a mapping, got NoneType"),
        ({"arguments": {"labels": {"a": "b"}, "axis": "epochs"}}, "expected 'updates', .*'epochs'"),
    ],
)
def test_a_figure_must_be_one_that_can_be_drawn(figure: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FigureSpec.model_validate(FIGURE | figure)


def test_a_claim_names_its_criterion() -> None:
    with pytest.raises(ValidationError, match=r"criterion\n  Field required"):
        ClaimSpec.model_validate(
            {"id": "a", "source": "s", "claim": "c", "arguments": {"run": "a"}}
        )


RUNS = {"tf9": {"experiment": "lag_17"}, "tf27": {"experiment": "lag_17"}}
GRID = {"experiment": "lag_17", "over": {"graph.num_steps": [3, 5]}}


def study_of(criterion: str = "", **arguments: Any) -> StudyConfig:
    """A study of one claim, or of one figure where the name is a figure's."""
    content: dict[str, Any] = {
        "description": "d", "title": "t", "introduction": "i", "runs": RUNS, "grids": {"n": GRID},
        "figures": [], "claims": [],
    }  # fmt: skip
    if criterion in FIGURES:
        figure = {"id": "a", "kind": criterion, "title": "t", "caption": "c"}
        content["figures"] = [figure | {"arguments": arguments}]
    elif criterion:
        claim = {"id": "a", "source": "s", "claim": "c", "criterion": criterion}
        content["claims"] = [claim | {"arguments": arguments}]
    return StudyConfig.model_validate(content)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("final_loss", {"run": "tf72", "expected": 1, "tolerance": 1}),
        ("lowers_loss", {"run": "tf9", "against": "tf72"}),
        ("curves_agree", {"names": ["tf9", "tf72"], "tolerance": 1}),
        ("curves", {"labels": {"tf72": "deep"}}),
        (
            "validation_table",
            {
                "rows": {"r": ["tf9", "tf72"]},
                "columns": ["x", "y"],
                "minima": {"tf9": 1, "tf72": 1},
            },
        ),
    ],
)
def test_a_run_that_is_not_there_is_named_with_the_nearest(
    name: str, arguments: dict[str, Any]
) -> None:
    message = r"a: expected one of the runs tf9, tf27, n/…; got tf72; did you mean 'tf27'"
    with pytest.raises(ValidationError, match=message):
        study_of(name, **arguments)


def test_a_run_name_is_checked_whatever_its_field_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class BesideTheBaseline(Criterion):
        """One file adds it: nothing else knows its fields."""

        baseline: RunName

        def expectation(self) -> str:
            return "beside it"

        def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
            raise NotImplementedError

    monkeypatch.setitem(CRITERIA, BesideTheBaseline.kind(), BesideTheBaseline)
    study_of("beside_the_baseline", baseline="tf9")
    with pytest.raises(ValidationError, match="got tf8; did you mean 'tf9'"):
        study_of("beside_the_baseline", baseline="tf8")


def test_a_pattern_stands_for_runs_of_a_grid_and_must_find_some() -> None:
    study_of("curves_agree", names=["n/*"], tolerance=1)
    with pytest.raises(ValidationError, match=r"expected one of the runs .*; got m/\*"):
        study_of("curves_agree", names=["m/*"], tolerance=1)


def test_a_name_that_is_no_pattern_is_not_taken_for_one() -> None:
    with pytest.raises(ValidationError, match=r"got n/\*"):
        study_of("final_loss", run="n/*", expected=1, tolerance=1)


def test_every_id_is_there_once() -> None:
    figure = FIGURE | {"arguments": {"labels": {"tf9": "a"}}}
    content = {"description": "d", "title": "t", "introduction": "i", "runs": RUNS, "claims": []}
    with pytest.raises(ValidationError, match="id a: 2 have this name"):
        StudyConfig.model_validate(content | {"figures": [figure, figure]})


def check_study(study: StudyConfig, *overrides: str) -> None:
    check_names(study, overrides, configs_of(study, overrides))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "floor",
            {"run": "tf9", "known": "lag 71", "expected": 1, "tolerance": 1},
            "floors of run tf9, none, lag 17; got lag 71; did you mean 'lag 17'",
        ),
        (
            "learned",
            {"run": "tf9", "lags": [8], "others": []},
            "expected a lag of run tf9, 17; got 8",
        ),
        ("by_depth", {"labels": {"tf9": "a"}, "lag": 8}, "expected a lag of run tf9, 17; got 8"),
        (
            "curves",
            {"labels": {"tf9": "a"}, "published": {105: 0.6}},
            "run tf9: it has a row each 10 updates of 2000; expected one at update 105",
        ),
        (
            "validation_table",
            {"rows": {"r": ["tf9"]}, "columns": ["x"], "minima": {"tf9": 1}},
            "run tf9: without training.validate_every it has no validation loss",
        ),
    ],
)
def test_what_a_study_names_is_checked_before_anything_is_trained(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"study “t”: a: .*{message}"):
        check_study(study_of(name, **arguments))


def test_an_override_may_take_away_what_a_claim_needs() -> None:
    arguments = {"run": "tf9", "first": 1991, "last": 2000, "expected": 1, "tolerance": 1}
    check_study(study_of("loss_of_updates", **arguments), "task.size=540000")
    late = arguments | {"first": 2001, "last": 2010}
    with pytest.raises(UsageError, match="a row each 10 updates of 2000"):
        check_study(study_of("loss_of_updates", **late), "task.size=540000")


def test_a_run_that_is_not_valid_is_named() -> None:
    content = study_of().model_dump()
    content["runs"] = {"a": {"experiment": "r2rt_n5"}, "b": {"experiment": "r2rt_n5",
                       "overrides": ["task.siz=3"]}}  # fmt: skip
    study = StudyConfig.model_validate(content)
    with pytest.raises(UsageError, match=r"study “t”: run b: .* did you mean 'task.size'"):
        configs_of(study, ())


OLD = """
description: d
title: t
introduction: i
runs: {a: {experiment: lag_17}}
figures:
  - {id: f, kind: horizon, title: t, caption: c, arguments: {names: ["*"], reach: num_steps}}
claims:
  - id: x
    source: s
    claim: c
    expected: 0.5
    measure: final_loss
    arguments: {run: a, tolerance: 1}
  - {id: y, source: s, claim: c, expected: "0", measure: none_beyond_reach, arguments: {names: [a]}}
  - id: z
    source: s
    claim: c
    criterion: loss_of_updates
    arguments: {run: a, first: 1, last: 10, expected: 0.5, margin: 1}
"""


def test_old_keys_still_work_and_are_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.yaml").write_text(OLD, "utf-8")
    study = load_study(str(tmp_path / "old.yaml"))
    kinds = [claim.criterion.kind() for claim in study.claims]
    assert kinds == ["final_loss", "none_beyond_depth", "loss_of_updates"]
    assert study.claims[0].criterion.expectation() == 0.5
    (line,) = capsys.readouterr().err.splitlines()
    assert "measure is now criterion, expected is now one of the arguments" in line
    assert "none_beyond_reach is now none_beyond_depth" in line
    assert "reach of horizon is now against" in line
    assert "margin of loss_of_updates is now tolerance" in line


@pytest.mark.parametrize("name", names("study"))
def test_shipped_studies_have_todays_keys(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    load_study(name)
    assert not capsys.readouterr().err


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "run"
    runner.train(small_config("training.seeds=2"), path)
    return path


def test_claims_are_decided_by_the_runs(trained: Path) -> None:
    claims = {spec.id: spec for spec in load_study("r2rt_part1").claims}
    there = {"n5_d4": read_run(trained, "n5_d4")}
    runs = StudyRuns(there, {"n10_d16": "killed"})
    floor = decide(claims["floor_none"], runs)
    assert (floor.verdict, floor.expected) == ("holds", 0.661563238158)
    assert floor.measured == pytest.approx(0.661563238158, abs=1e-11)
    wrong = claims["floor_none"].criterion.model_copy(update={"expected": 0.6})
    fails = decide(claims["floor_none"].model_copy(update={"criterion": wrong}), runs)
    assert (fails.verdict, fails.expected) == ("fails", 0.6)
    missing = decide(claims["n10_both"], runs)
    assert (missing.verdict, missing.measured) == ("not_run", None)
    assert missing.note == "run n10_d16: killed"


def test_a_claim_on_updates_that_were_not_trained_is_not_run(tmp_path: Path) -> None:
    claims = {spec.id: spec for spec in load_study("r2rt_part1").claims}
    short = {"n5_d4": finished_run(tmp_path, "n5_d4", [[0.6, 0.5]])}
    claim = decide(claims["n5_printed"], StudyRuns(short))
    assert (claim.verdict, claim.measured) == ("not_run", None)
    assert claim.note == "run n5_d4: no row of updates 801 to 900"


def test_a_run_of_one_row_cannot_be_timed(tmp_path: Path) -> None:
    claims = {spec.id: spec for spec in load_study("truncation_styles").claims}
    pair = ("true18", "tf18")
    short = {name: finished_run(tmp_path / name, name, [[0.6]]) for name in pair}
    claim = decide(claims["cost_true"], StudyRuns(short))
    assert claim.verdict == "not_run"
    assert claim.note == "run true18: too short to time"


def test_a_single_seed_has_no_interval(tmp_path: Path) -> None:
    (spec,) = [each for each in load_study("r2rt_part1").claims if each.id == "n5_loss"]
    claim = decide(spec, StudyRuns({"n5_d4": finished_run(tmp_path, "n5_d4", [[0.52]])}))
    assert (claim.verdict, claim.low, claim.high) == ("undecided", None, None)


class Broken(Criterion):
    """A criterion with a bug."""

    def expectation(self) -> str:
        return "anything"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        raise ZeroDivisionError(f"of {len(runs.there)} runs")


@pytest.mark.parametrize("debug", [False, True])
def test_a_claim_that_breaks_is_not_run_and_says_why(
    debug: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ClaimSpec(id="a", source="s", claim="c", criterion=Broken())
    claim = decide(spec, StudyRuns({}), debug=debug)
    assert (claim.verdict, claim.measured) == ("not_run", None)
    assert claim.note.startswith("ZeroDivisionError: of 0 runs")
    shown = capsys.readouterr().err
    assert "claim a: not run: ZeroDivisionError" in shown
    assert ("Traceback" in shown) == debug


class OfNothing(Criterion):
    """Its measurement is no number, as the cosine with a gradient of zeros."""

    run: RunName

    def expectation(self) -> str:
        return "above 0"

    def decide(self, _runs: StudyRuns, level: float = LEVEL) -> Finding:
        return judged(verdicts.above(estimates.mean([0.5, float("nan")]), level=level), 2, "n")


def test_a_claim_on_a_number_that_is_not_finite_is_not_run(tmp_path: Path) -> None:
    spec = ClaimSpec(id="a", source="s", claim="c", criterion=OfNothing(run=RunName("tf9")))
    claim = decide(spec, StudyRuns({"tf9": finished_run(tmp_path, "tf9", [[0.6], [0.5]])}))
    assert (claim.verdict, claim.measured) == ("not_run", None)
    assert claim.note == "run tf9: a number is not finite"


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


def test_a_claim_on_a_pattern_is_linked_to_the_figure_of_its_runs() -> None:
    study = study_of("curves_agree", names=["n/*"], tolerance=1)
    other = FIGURE | {"id": "other", "arguments": {"labels": {"tf9": "a"}}}
    figure = FIGURE | {
        "id": "f",
        "arguments": {"labels": {name: name for name in study.grids["n"].runs("n")}},
    }
    specs = tuple(map(FigureSpec.model_validate, (other, figure)))
    assert figures_of_claims(study.model_copy(update={"figures": specs})) == {"a": "f"}


def test_a_run_that_cannot_be_read_is_absent(tmp_path: Path) -> None:
    config = load_config("lag_17")
    good = finished_run(tmp_path, "good", [[0.6]]).directory.path
    empty = tmp_path / "empty"
    shutil.copytree(good, empty)
    (empty / "metrics.csv").unlink()
    points = [Point(path.name, (), config, path) for path in (good, empty)]
    runs = read_runs({point.name: [point] for point in points}, {})
    assert ([*runs.there], [*runs.absent]) == (["good"], ["empty"])
    assert "metrics.csv: no such file, although the run is complete" in runs.absent["empty"]


def test_claims_json_has_the_contracts_keys(tmp_path: Path) -> None:
    claim = Claim("a", "s", "c", 1.0, float("nan"), float("-inf"), None, 3, "fails", "n")
    write_claims(tmp_path / "claims.json", [claim])
    (row,) = json.loads((tmp_path / "claims.json").read_text())
    keys = "id source claim expected measured low high seeds verdict"
    assert set(keys.split()) <= set(row)
    assert row["measured"] is row["low"] is None  # JSON has neither nan nor infinity


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
