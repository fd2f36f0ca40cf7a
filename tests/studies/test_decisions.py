"""experiments/studies/decisions.py: claims decided by the runs that are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding
from experiments.runs.run import read_run
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.decisions import decide, read_runs
from experiments.studies.entries import Criterion
from experiments.studies.findings import judged
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.spec import ClaimSpec, load_study
from experiments.sweeps.points import Point
from experiments.training import runner
from tests.conftest import small_config
from tests.handmade import finished_run


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
