"""A user's own study: by its file, with experiments beside it, from `claim`, and stale claims."""

from __future__ import annotations

import json
import shutil
import signal
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

import run
from experiments.errors import UsageError
from experiments.reporting.claims import Claim, NotRun
from experiments.runs import provenance
from experiments.runs.provenance import code_digest, stale_reason
from experiments.studies import study
from experiments.studies.correction import with_corrections
from experiments.studies.decisions import stale_claim, stale_runs
from experiments.studies.points import plan
from experiments.studies.report import print_claims
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import ClaimSpec, StudyConfig, load_study
from experiments.studies.subjects.final_losses import FinalLosses
from experiments.studies.subjects.losses import FinalLoss
from tests.handmade import finished_run


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with two runs whose names are no overrides."""
    monkeypatch.chdir(tmp_path)
    for name, loss in (("low", 0.42), ("high", 0.44)):
        losses = [[loss + seed / 1e4] for seed in range(6)]
        finished_run(tmp_path / "runs/lag_17", name, losses, overrides=["training.seeds=6"])
    return tmp_path


def test_experiments_are_files_beside_the_study(place: Path) -> None:
    folder = place / "studies"
    (folder / "parts").mkdir(parents=True)
    shutil.copy(place / "runs/lag_17/low/config.yaml", folder / "parts/mine.yaml")
    content = {
        "description": "d",
        "title": "t",
        "runs": {"a": {"experiment": "parts/mine.yaml", "overrides": ["graph.num_steps=9"]}},
        "grids": {"g": {"experiment": "./parts/mine.yaml", "over": {"graph.num_steps": [3, 6]}}},
    }
    (folder / "own.yaml").write_text(yaml.safe_dump(content), "utf-8")
    points = plan(load_study("studies/own.yaml"), []).points
    assert [point.config.graph.num_steps for point in points] == [9, 3, 6]
    assert points[0].directory == Path("runs/lag_17/graph.num_steps=9")
    with pytest.raises(UsageError, match=r"study file other\.yaml: no such file"):
        load_study("other.yaml")


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (
            {"a": {"experiment": "r2rt_n5", "overrides": ["task.siz=3"]}},
            "run a: experiment r2rt_n5: ",
        ),
        ({"a": {"experiment": "r2rt_n5", "overrides": ["task.size=5000"]}}, "late: run a: "),
        ({"a": {"experiment": "r2rt_n5", "other": 1}}, "runs.a.other: unknown key"),
    ],
)
def test_a_mistake_in_a_study_names_its_file(
    runs: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    late = {"run": "a", "first": 901, "last": 1000, "expected": 0.5, "tolerance": 0.1}
    claim = {"id": "late", "source": "s", "claim": "c", "criterion": "loss_of_updates"}
    content: dict[str, Any] = {"description": "d", "title": "t", "runs": runs}
    content["claims"] = [claim | {"arguments": late}]
    Path("own.yaml").write_text(yaml.safe_dump(content), "utf-8")
    assert run.main(["reproduce", "own.yaml"]) == 2
    assert capsys.readouterr().err.startswith(f"error: study own.yaml: {message}")


def test_the_result_may_be_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["claim", LOW, "--loss", "0.42", "--tolerance", "0.01"]) == 0
    Path("mine.yaml").write_text(capsys.readouterr().out, "utf-8")
    run.main(["reproduce", "mine.yaml", "--json"])
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["claims"] == json.loads(Path("reports/mine/claims.json").read_text("utf-8"))
    (row,) = found["runs"]
    assert row["final_loss"]["mean"] == pytest.approx(0.42025)
    assert (row["seeds"], row["run_directory"]) == (6, LOW)
    assert found["report"] == "reports/mine/report.html"
    assert "lag_17_low  complete" in said.err  # progress and tables


def test_a_run_is_an_experiment_or_a_directory() -> None:
    for spec in ({}, {"experiment": "lag_17", "run_dir": "runs/lag_17/low"}):
        content = {"description": "d", "title": "t", "runs": {"a": spec}}
        with pytest.raises(ValueError, match="expected an experiment or a run_dir, and not both"):
            StudyConfig.model_validate(content)


def test_overrides_give_each_run_directory_a_directory_of_its_own(place: Path) -> None:
    """Neither that of another run, nor the one in which `train` with these overrides trains."""
    runs = {name: {"run_dir": f"runs/lag_17/{name}"} for name in ("low", "high")}
    long = {"run_dir": f"runs/lag_17/{'x' * 190}"}
    shutil.copytree(LOW, long["run_dir"])
    content = {"description": "d", "title": "t", "runs": runs | {"long": long}}
    study = StudyConfig.model_validate(content)
    low, high, shortened = plan(study, ["training.seeds=9", "graph.num_steps=18"]).points
    assert low.directory == Path("runs/lag_17/low,graph.num_steps=18,training.seeds=9")
    assert high.directory == Path("runs/lag_17/high,graph.num_steps=18,training.seeds=9")
    assert len(shortened.directory.name) <= 200
    assert [str(point.directory) for point in plan(study, []).points][:2] == [LOW, HIGH]


def test_a_tilde_is_the_home_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    (place / "studies").mkdir()
    shutil.copy(f"{LOW}/config.yaml", "mine.yaml")
    content = {
        "description": "d",
        "title": "t",
        "runs": {"a": {"run_dir": f"~/{LOW}"}, "b": {"experiment": "~/mine.yaml"}},
        "grids": {"g": {"experiment": "~/mine.yaml", "over": {"graph.num_steps": [9]}}},
    }
    Path("studies/own.yaml").write_text(yaml.safe_dump(content), "utf-8")
    study = load_study("~/studies/own.yaml")
    assert study.runs["a"].source == str(place / LOW / "config.yaml")
    one, other, third = plan(study, []).points
    assert (one.directory, other.config) == (place / LOW, one.config)
    assert third.config.graph.num_steps == 9


def test_the_current_folder_is_a_run_directory(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(LOW)
    content = {"description": "d", "title": "t", "runs": {"here": {"run_dir": "."}}}
    (point,) = plan(StudyConfig.model_validate(content), ["training.seeds=9"]).points
    assert point.directory == place / "runs/lag_17/low,training.seeds=9"


def reproduce(capsys: pytest.CaptureFixture[str], *claim: str) -> tuple[int, dict[str, Any], str]:
    """Paste what `claim` prints into a study, and reproduce it: exit code, claim, and output."""
    assert run.main(["claim", *claim]) == 0
    text = capsys.readouterr().out
    Path("mine.yaml").write_text(text, "utf-8")
    code = run.main(["reproduce", "mine.yaml"])
    (row,) = json.loads(Path("reports/mine/claims.json").read_text("utf-8"))
    return code, row, text


LOW, HIGH = "runs/lag_17/low", "runs/lag_17/high"


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ((LOW, "--loss", "0.42", "--tolerance", "0.01"), "holds"),
        ((LOW, "--loss", "0.44", "--tolerance", "0.01"), "fails"),
        ((LOW, "--below", HIGH), "holds"),
        ((HIGH, "--below", LOW), "fails"),
    ],
)
def test_what_claim_prints_is_a_study_that_decides_it(
    claim: tuple[str, ...], verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, row, text = reproduce(capsys, *claim)
    assert (row["verdict"], row["verdict_corrected"], code) == (verdict,) * 2 + (
        int(verdict != "holds"),
    )
    assert text.startswith(f"# Today: {verdict}, ")
    said = capsys.readouterr().out
    assert "final loss" in said  # the runs
    assert said.splitlines()[-1] == "report: reports/mine/report.html"
    assert f">{LOW}<" in Path("reports/mine/report.html").read_text("utf-8")  # of the run


@pytest.mark.parametrize("path", ["1e-3", "010", "1_000", "on", "étés"])
def test_what_claim_prints_names_the_run_whatever_its_folder_is_called(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(LOW, path)
    code, row, text = reproduce(capsys, path, "--loss", "0.42", "--tolerance", "0.01")
    assert (code, row["verdict"]) == (0, "holds")
    assert path in text  # not escaped


def test_a_claim_on_what_is_no_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["claim", "nowhere", "--loss", "1"]) == 2
    assert run.main(["reproduce", "x", "--max-seeds", "9"]) == 2
    assert "only with --seeds-until decided" in capsys.readouterr().err


@pytest.mark.parametrize("status", ["interrupted", "diverged"])
def test_a_claim_on_a_run_that_is_not_complete_is_refused(
    status: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / HIGH / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"status": status}), "utf-8")
    for claim in ([HIGH, "--loss", "0.44"], [HIGH, "--below", LOW], [LOW, "--below", HIGH]):
        assert run.main(["claim", *claim]) == 2
        said = capsys.readouterr()
        assert said.err == f"error: {HIGH}: expected a complete run; it is {status}\n"
        assert not said.out


def test_a_run_is_claimed_to_be_below_another_of_the_same_task(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished_run(place, "near", [[0.3]], overrides=["task.dependencies.0.lag=4"])
    for below, message in (
        (f"./{LOW}", f"--below {LOW}: expected another run than {LOW}"),
        ("near", "lowers_loss: losses of different tasks cannot be compared: "
                 "task.dependencies.0.lag is 17 in lag_17_low, 4 in lag_17_near"),
    ):  # fmt: skip
        assert run.main(["claim", LOW, "--below", below]) == 2
        assert capsys.readouterr().err == f"error: {message}\n"


def test_a_tolerance_is_of_a_loss_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["claim", LOW, "--below", HIGH, "--tolerance", "0.1"]) == 2
    assert capsys.readouterr().err == "error: --tolerance: only with --loss\n"


def test_a_claim_that_cannot_be_decided_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(*_: object) -> NoReturn:
        raise NotRun("run lag_17_low: no checkpoint")

    monkeypatch.setattr(FinalLoss, "decide", lacks)
    assert run.main(["claim", LOW, "--loss", "1"]) == 2
    assert capsys.readouterr().err == "error: run lag_17_low: no checkpoint\n"


@pytest.mark.parametrize("part", [(FinalLoss, "decide"), (FinalLosses, "draw")])
def test_a_ctrl_c_that_a_library_takes_for_its_own_error_ends_the_command(
    part: tuple[type, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow turns it into an ImportError while it is imported."""
    assert run.main(["claim", LOW, "--loss", "0.42"]) == 0
    content = yaml.safe_load(capsys.readouterr().out)
    labels = {name: name for name in content["runs"]}
    content["figures"] = [
        {"id": "f", "title": "t", "caption": "c", "kind": "final_losses",
         "arguments": {"labels": labels}}
    ]  # fmt: skip
    Path("mine.yaml").write_text(yaml.safe_dump(content), "utf-8")

    def interrupted(*_: object) -> NoReturn:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise ImportError("tensorflow") from error
        raise AssertionError("no KeyboardInterrupt")

    monkeypatch.setattr(*part, interrupted)
    assert run.main(["reproduce", "mine.yaml"]) == 130
    said = capsys.readouterr()
    assert said.err == "error: interrupted\n"
    assert "deciding 1 claim\n" in said.out


def test_a_folder_that_cannot_be_made_is_refused_before_training(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reproduce(capsys, LOW, "--loss", "0.42")
    monkeypatch.setattr(study, "train_missing", lambda *_: pytest.fail("trained"))
    with pytest.raises(UsageError, match=r"--out mine\.yaml/out: cannot be made: Not a directory"):
        study.reproduce("mine.yaml", study.ReproduceOptions(out=Path("mine.yaml/out")))


def test_a_run_by_other_code_is_stale(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"code": code_digest(), "versions": versions()}
    assert stale_reason(now) == ""
    assert stale_reason(now | {"code": "0"}) == "made by other code"
    assert "did not record its code" in stale_reason({"versions": versions()})
    old = now | {"versions": versions() | {"numpy": "1.0"}}
    assert stale_reason(old).startswith("made with numpy 1.0, here is ")


def versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in provenance.PACKAGES}


def test_the_claims_of_a_stale_run_are_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, code in (("low", code_digest()), ("high", "0")):
        path = place / "runs/lag_17" / name / "summary.json"
        summary = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(summary | {"code": code, "versions": versions()}), "utf-8")
    _, row, _ = reproduce(capsys, LOW, "--below", HIGH)
    assert row["stale"] == "run lag_17_high: made by other code"
    said = capsys.readouterr().out
    assert "claims to decide again: lowers_loss" in said
    assert "run lag_17_low: made" not in said
    assert "made by other code" in Path("reports/mine/report.html").read_text("utf-8")
    _, row, _ = reproduce(capsys, LOW, "--loss", "0.42")
    assert row["stale"] == ""


def test_comments_and_docstrings_are_no_other_code() -> None:
    one = '"""Doc."""\n\ndef f(x):\n    """More."""\n    return x + 1  # why\n'
    other = "def f(x):\n\n    return (x + 1)\n"
    meaning = provenance._meaning
    assert meaning(one) == meaning(other)
    assert meaning(one) != meaning(other.replace("1", "2"))


def claim(name: str, verdict: Any, p: float | None) -> Claim:
    return Claim(name, "s", "c", 1.0, 1.0, None, None, 3, verdict, "n", p)


def test_verdicts_are_corrected_for_the_number_of_claims() -> None:
    """Holm: 0.01 · 3 and 0.03 · 2 are compared with 0.05; exact claims do not count."""
    found = with_corrections(
        [
            claim("weak", "holds", 0.03),
            claim("exact", "fails", None),
            claim("strong", "fails", 0.01),
            claim("open", "undecided", 0.6),
            claim("absent", "not_run", None),
        ]
    )
    verdicts = [each.verdict_corrected for each in found]
    assert verdicts == ["undecided", "fails", "fails", "undecided", "not_run"]
    assert [each.p_corrected for each in found] == pytest.approx([0.06, None, 0.03, 0.6, None])


def test_the_correction_is_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_claims(with_corrections([claim("weak", "holds", 0.03), claim("open", "undecided", 0.6)]))
    said = capsys.readouterr().out
    assert "holds (undecided)" in said
    assert "Holm" in said


def test_stale_runs_are_found_in_every_batch(place: Path) -> None:
    made = finished_run(place, "a", [[0.4]])
    reasons = stale_runs(StudyRuns({"a": made}))
    assert list(reasons) == ["a"]
    text = """
    {id: x, source: s, claim: c, criterion: final_loss,
     arguments: {run: a, expected: 0.4, tolerance: 0.1}}
    """
    spec = ClaimSpec.model_validate(yaml.safe_load(text))
    assert stale_claim(spec, reasons) == f"run a: {reasons['a']}"


def test_more_than_a_thousand_runs_start_after_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "many.yaml"
    many = {"experiment": "r2rt_n5", "over": {"training.first_seed": [*range(1001)]}}
    path.write_text(yaml.safe_dump({"description": "d", "title": "t", "grids": {"a": many}}))

    class Planned(Exception):
        pass

    def planned(*_: object) -> None:
        raise Planned

    monkeypatch.setattr(study, "plan", planned)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match=r"start 1,001 points\? There is no terminal"):
        study.reproduce(str(path), study.ReproduceOptions())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    assert study.reproduce(str(path), study.ReproduceOptions()) == 0
    assert "nothing was started" in capsys.readouterr().out
    with pytest.raises(Planned):
        study.reproduce(str(path), study.ReproduceOptions(yes=True))
