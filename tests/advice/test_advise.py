"""`run.py advise` from the command to its files, and on data whose lags are known."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import run
from experiments import commands
from experiments.advice import advise, report, schedule
from experiments.advice.advise import RETIMED, settle
from experiments.advice.analysis import PilotAnalysis
from experiments.advice.answer import Advice
from experiments.advice.check import Contest, Training, contestants, equal_time, judge, sentence
from experiments.advice.choice import Candidate, Choice, Need
from experiments.advice.pilot import Pilot
from experiments.advice.reading import HeldOut
from experiments.advice.schedule import Schedule
from experiments.advice.settings import Setting, setting_of
from experiments.config import own_cells
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.statistics.estimates import Estimate
from experiments.statistics.intervals import Interval
from experiments.sweeps.points import Point
from rnn_graphs.config import TruncationConfig
from tests.conftest import small_config
from tests.handmade import finished_run

Capture = pytest.CaptureFixture[str]
NOTHING_HELD_OUT = (
    "task.valid=0", "task.test=0", "training.validate_every=null", "training.patience=null",
)  # fmt: skip


def advised(folder: Path, *arguments: str) -> dict[str, Any]:
    assert run.main(["advise", *arguments, "-q", "--out", str(folder)]) == 0
    content: dict[str, Any] = json.loads((folder / "advice.json").read_text("utf-8"))
    return content


def test_the_command_writes_its_files_and_prints_three_lines(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "WIDTHS", (12,))
    small = ["task.size=40000", "graph.batch_size=20", "execution.xla=off"]
    content = advised(tmp_path, "r2rt_n5", *small, "--budget", "2s")
    printed = capsys.readouterr().out
    assert content["pilot"]["num_steps"] == 12
    assert [line.split(":")[0] for line in content["lines"]][2] == "pilot"
    assert f"report: {tmp_path / 'report.html'}" in printed
    for name in ("report.html", "error_signal.png", "memory.png", "cost.png"):
        assert (tmp_path / name).stat().st_size
    assert {each["truncation"]["kind"] for each in content["candidates"]} > {"tf_style", "artbp"}
    if content["overrides"]:  # what it says can be trained
        load_config("r2rt_n5", [*small, *content["overrides"]])


def test_the_command_that_trains_it_can_be_pasted(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ["graph.num_steps=40", "truncation={kind:tf_style,depth:null}"]
    monkeypatch.setattr(advise, "advise", lambda *_: advice(40))
    monkeypatch.setattr(advise, "as_dict", lambda _: {"overrides": found})
    monkeypatch.setattr(advise, "lines", lambda _: ["advised"])
    monkeypatch.setattr(report, "write_advice_report", lambda *_: tmp_path / "report.html")
    monkeypatch.setattr(own_cells, "register_cells", lambda _: None)
    given = ["r2rt_n5", "task.dependencies=[{lag: 3, effect: 0.5}]", "--cells", "my cells.py"]
    assert run.main(["advise", *given, "-q", "--out", str(tmp_path)]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "run.py" in each]
    command = shlex.split(line.removeprefix("to train it: "))
    assert command[:2] == ["python", "run.py"]
    trained: list[Namespace] = []

    def train(options: Namespace) -> int:
        trained.append(options)
        return 0

    monkeypatch.setattr(commands, "train", train)
    assert run.main(command[2:]) == 0
    (options,) = trained
    assert (options.experiment, options.overrides) == ("r2rt_n5", [given[1], *found])
    assert options.cells == Path("my cells.py")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digits_bidirectional",), "model.bidirectional"),
        (("r2rt_n5", "training.carry_state=false"), "training.carry_state"),
        (("text_python_docs", *NOTHING_HELD_OUT), "text has no held-out data to read the pilot on"),
        (
            ("matching", "model.bidirectional=false", "--budget", "2s"),
            "the loss of matching depends on all outputs of a text",
        ),
        (("r2rt_n5", "--tolerance", "2"), "--tolerance"),
        (("r2rt_n5", "--budget", "soon"), "--budget"),
        # Options that do not go together are refused before the experiment is looked for.
        (("none", "--workers", "2"), "--workers works with --check only"),
        (("none", "--json", "--check"), "--json works without --check only"),
    ],
)
def test_mistakes_exit_2_with_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: Capture
) -> None:
    try:
        code = run.main(["advise", *arguments, "--out", str(tmp_path)])
    except SystemExit as stopped:  # of the parser
        code = int(stopped.code or 0)
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "needed"), [("r2rt_n10", 9), ("lag_17", 18)])
def test_on_a_known_lag_the_advice_reaches_it(experiment: str, needed: int, tmp_path: Path) -> None:
    content = advised(tmp_path, experiment, "--budget", "3m")
    assert content["status"] == "advised"
    assert content["advised"]["effective_depth"] >= needed
    assert content["pilot"]["inputs_used"] >= needed


@pytest.mark.slow
def test_labels_that_depend_on_nothing_give_no_advice(tmp_path: Path) -> None:
    content = advised(
        tmp_path, "r2rt_n5", "task.dependencies=[{lag:3,effect:0.0}]", "--budget", "20s"
    )
    assert content["status"] == "nothing_learned"
    assert content["advised"] is None


# --check

ADVISED = Setting(40, TruncationConfig(kind="tf_style"))


def advice(*widths: int) -> Advice:
    """Advice for r2rt_n5 on little data: num_steps 40, each setting at 1 µs a symbol."""
    config = small_config()
    share = Interval(0.05, 0.04, 0.06)
    settings = [setting_of(config), *(ADVISED._replace(num_steps=width) for width in widths)]
    candidates = [Candidate(setting, share, 3.0, 1e-6) for setting in settings]
    (best,) = (each for each in candidates if each.setting == ADVISED)
    found = PilotAnalysis(Need(True, 9, 0), None, None, Interval(0.5, 0.4, 0.6), 0.66, candidates)
    pilot = Pilot(Schedule(96, 10), 1e-6, [], {}, HeldOut([], 1, None, None), 1)
    return Advice(config, 0.1, True, pilot, found, Choice("advised", best, None))


def test_the_advised_one_is_trained_against_its_neighbours_and_the_own() -> None:
    chosen = contestants(advice(16, 32, 40, 64, 96))
    assert [setting.num_steps for setting in chosen] == [40, 5, 32, 64]


def test_equal_time_takes_as_many_epochs_as_the_own_run() -> None:
    """Two epochs of 20,000 symbols at 1 µs; at twice the cost there is time for one."""
    given = advice(40)
    own, best = given.analysis.candidates
    (equal,) = equal_time(given, [best.setting]).values()
    assert equal.epochs == 2
    assert equal.seconds == pytest.approx(0.04)
    dear = given._replace(
        analysis=given.analysis._replace(candidates=[own, best._replace(seconds=2e-6)])
    )
    (equal,) = equal_time(dear, [best.setting]).values()
    assert equal.epochs == 1


def test_the_winner_has_the_lower_loss(tmp_path: Path) -> None:
    points = []
    for name, losses in {"advised": (0.4, 0.41, 0.42), "own": (0.5, 0.5, 0.52)}.items():
        made = finished_run(tmp_path, name, [[each] * 10 for each in losses])
        points.append(Point(name, (), made.config, made.directory.path))
    trainings = {ADVISED: Training(1, 2.0), setting_of(small_config()): Training(2, 3.0)}
    (contest,) = judge(points, trainings)
    assert contest.against == "num_steps=5 tf_style"
    assert contest.times == 1.5
    assert contest.difference.value == pytest.approx(-0.29 / 3)  # paired by seed
    assert contest.difference.degrees == 2


@pytest.mark.parametrize(("contests", "verdict"), [(1, "wins against"), (3, "indistinguishable")])
def test_several_contests_share_the_level(contests: int, verdict: str) -> None:
    """The interval of 95 % of one contest ends below 0, that of three reaches above it."""
    best = advice(40).choice.advised
    assert best
    contest = Contest("another", 1, Estimate(-0.02, 0.008, 9))
    found = sentence(best, contest, contests)
    assert verdict in found
    assert ("95 % interval" if contests == 1 else "98.33 % interval") in found


def test_the_last_time_that_is_measured_counts() -> None:
    """Each setting turns out dear, and the next one is advised by its expected time."""
    given = advice(16, 32, 40, 64).analysis

    def with_times(seconds: Mapping[Setting, float]) -> PilotAnalysis:
        return given._replace(
            candidates=[
                each._replace(seconds=seconds.get(each.setting), expected=1e-6)
                for each in given.candidates
            ]
        )

    measured: list[Setting] = []

    def time_one(candidate: Candidate) -> dict[Setting, float]:
        measured.append(candidate.setting)
        return {candidate.setting: len(measured) * 1.0}

    analysis, choice = settle(with_times, {}, 0.5, time_one)
    assert len({*measured}) == RETIMED
    times = {each.setting: each.seconds for each in analysis.candidates}
    assert times[measured[-1]] == RETIMED
    assert choice.advised
    assert choice.advised.setting != measured[-1]


def test_without_advice_there_is_nothing_to_check(tmp_path: Path) -> None:
    from experiments.advice.check import check_advice

    nothing = advice(40)._replace(choice=Choice("not_enough", None, None))
    with pytest.raises(UsageError, match="nothing is advised"):
        check_advice(nothing, "r2rt_n5", [], tmp_path, None)
