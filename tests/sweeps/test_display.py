"""experiments/sweeps/display.py: the progress of points, and the table at the end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from experiments.config.compose import load_config
from experiments.console import quietly
from experiments.sweeps.display import (
    BarDisplay,
    Monitor,
    Overall,
    PlainDisplay,
    PointProgress,
    Running,
    RunningPoint,
    clock,
    open_monitor,
    print_results,
)
from experiments.sweeps.messages import Message, advanced, began, ended, entered
from experiments.sweeps.points import Point, Result, short_names


class Seen:
    """A display that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now: tuple[int, dict[str, str]] = (0, {})
        self.overall: list[Overall] = []

    def print_line(self, text: str) -> None:
        self.lines.append(text)

    def show(self, overall: Overall, running: Running) -> None:
        self.overall.append(overall)
        self.now = overall.ended, {name: str(point) for name, point in running.items()}


def at(name: str, done: int) -> Message:
    return advanced(name, "seed 0", done, 10, 0.5)


def complete(name: str) -> Message:
    return ended(name, "", 0.25, 3.0)


def shown(*messages: Message) -> Seen:
    seen = Seen()
    monitor = Monitor(2, seen)
    for message in messages:
        monitor.receive(message)
    return seen


def test_points_begin_advance_and_end() -> None:
    seen = shown(began("a"), began("b"), at("a", 5), ended("b", "the disk is full", None, 3.0))
    assert seen.now == (1, {"a": "seed 0, 5/10 updates, loss 0.5000"})
    assert seen.lines == ["[1/2] b: failed: the disk is full"]


def test_a_point_names_its_stage_before_its_first_update() -> None:
    assert shown(began("a")).now == (0, {"a": "start"})
    assert shown(began("a"), entered("a", "compile")).now == (0, {"a": "compile"})
    assert shown(began("a"), at("a", 5), entered("a", "report")).now == (0, {"a": "report"})


def test_the_remaining_time_counts_what_is_done_of_running_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("experiments.sweeps.display.time.monotonic", lambda: now[0])
    seen = Seen()
    monitor = Monitor(4, seen)
    monitor.receive(began("a"))
    assert seen.overall[-1].remaining is None
    monitor.receive(complete("a"))
    now[0] += 30
    monitor.receive(at("b", 5))  # 1.5 of 4 points took 30 s
    assert seen.overall[-1].elapsed == 30
    assert seen.overall[-1].remaining == pytest.approx(50)


def test_a_slow_last_point_needs_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("experiments.sweeps.display.time.monotonic", lambda: now[0])
    seen = Seen()
    monitor = Monitor(4, seen)
    for name in "abc":  # in no time
        monitor.receive(complete(name))
    monitor.receive(at("d", 2))  # resumed at update 2
    now[0] += 30
    monitor.receive(at("d", 4))  # 2 updates took 30 s, 6 are left
    assert seen.overall[-1].remaining == pytest.approx(90)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "unknown"), (0, "0:00:00"), (59.6, "0:01:00"), (36610, "10:10:10")]
)
def test_times_are_hours_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with quietly(True), open_monitor(1) as monitor:
        monitor.receive(began("a"))
        monitor.receive(complete("a"))
    assert capsys.readouterr() == ("", "")


def test_a_complete_point_shows_loss_and_seconds() -> None:
    assert shown(began("a"), complete("a")).lines == [
        "[1/2] a: complete, loss 0.2500, 3.0 s a seed"
    ]


def test_a_message_that_comes_late_changes_nothing() -> None:
    seen = shown(began("a"), complete("a"), at("a", 10), complete("a"))
    assert len(seen.lines) == 1
    assert seen.now == (1, {})


def test_the_result_of_a_call_stands_in_for_messages_that_were_lost() -> None:
    seen = Seen()
    Monitor(1, seen).end("a", "killed by SIGKILL")
    assert seen.lines == ["[1/1] a: failed: killed by SIGKILL"]


def test_a_point_that_begins_again_lost_its_worker() -> None:
    assert shown(began("a"), began("a")).lines == [
        "a: its worker died; another worker resumes it"
    ]  # fmt: skip


def test_plain_lines_keep_their_distance(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("experiments.sweeps.display.time.monotonic", lambda: now[0])
    monitor = Monitor(1, PlainDisplay())
    for second in range(25):
        now[0] = second
        monitor.receive(advanced("a", "seed 0", second, 40, 0.5))
    assert capsys.readouterr().out.splitlines() == [
        "0 of 1 points ended, 1 running, elapsed 0:00:10, remaining 0:00:30:",
        "  a: seed 0, 10/40 updates, loss 0.5000",
        "0 of 1 points ended, 1 running, elapsed 0:00:20, remaining 0:00:20:",
        "  a: seed 0, 20/40 updates, loss 0.5000",
    ]  # fmt: skip


def test_plain_lines_come_though_no_child_says_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("experiments.sweeps.display.time.monotonic", lambda: now[0])
    monitor = Monitor(1, PlainDisplay())
    for second in range(25):
        now[0] = second
        monitor.refresh()
        if second == 15:
            monitor.receive(entered("a", "compile"))
    assert capsys.readouterr().out.splitlines() == [
        "0 of 1 points ended, 0 running, elapsed 0:00:10, remaining unknown",
        "0 of 1 points ended, 1 running, elapsed 0:00:20, remaining unknown:",
        "  a: compile",
    ]


def test_on_a_terminal_there_is_a_bar_for_each_point_that_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with open_monitor(2) as monitor:
        display = monitor._display
        assert isinstance(display, BarDisplay)
        monitor.receive(began("a[b]"))
        monitor.receive(at("a[b]", 5))
        points, bar = display.bars.tasks
        assert (bar.description, bar.completed, bar.total) == ("a[b]", 5, 10)
        assert (bar.fields["count"], points.fields["count"]) == ("5/10", "0/2")
        assert bar.fields["state"] == "train, loss 0.5000"
        assert points.fields["state"].startswith("remaining ")
        assert (points.completed, points.total) == (0.5, 2)
        monitor.receive(entered("a[b]", "validate"))
        assert bar.fields["state"] == "validate, loss 0.5000"
        monitor.receive(complete("a[b]"))
        assert (display.bars.tasks, points.completed) == ([points], 1)
    assert "[1/2] a[b]: complete" in capsys.readouterr().out


def test_bars_fit_into_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    display = BarDisplay(100)
    running = {"graph.num_steps=10,model.state_size=16": RunningPoint("train")}
    progress = PointProgress("seed 0, 1 of 10", 1400, 20000, 0.5)
    display.show(Overall(12, 100, 0.125, 4000.0), running)
    display.show(
        Overall(12, 100, 0.125, 4000.0),
        {name: point._replace(progress=progress) for name, point in running.items()},
    )
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    with console.capture() as captured:
        console.print(display.bars.get_renderable())
    points, bar = captured.get().rstrip().splitlines()
    assert points.split()[0] == "points"
    assert points.split()[2:4] == ["12/100", "elapsed"]
    assert points.rstrip().endswith("remaining 7:46:40, 1 running")
    assert bar.startswith("graph.num_step")
    assert bar.rstrip().endswith("train, loss 0.5000")
    assert "1400/20000" in bar


def test_points_are_named_by_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config("r2rt_n5")
    names = [f"graph.batch_size=20,graph.num_steps={steps},task.size=20000" for steps in (1, 5)]
    points = [Point(name, (), config, Path(name)) for name in names]
    print_results([Result(point, "complete", 0.5, 1.0, "") for point in points])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "graph.num_steps=1  complete  0.5000             1.0",
        "graph.num_steps=5  complete  0.5000             1.0",
    ]
    with open_monitor(2, short_names(names)) as monitor:
        monitor.end(names[0], "killed")
    assert capsys.readouterr().out == "[1/2] graph.num_steps=1: failed: killed\n"


@pytest.mark.parametrize(
    "names",
    [
        ["a=1"],
        ["default", "a=1"],
        ["a=1", "a=1,b=2"],  # nothing is left of the first
        ["a=_1,2_", "a=_1,3_"],  # a list is one value
    ],
)
def test_a_name_stays_whole_where_nothing_can_be_left_out(names: list[str]) -> None:
    assert short_names(names) == {name: name for name in names}


def test_the_table_has_a_line_for_each_point(capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config("r2rt_n5")
    point = Point("graph.num_steps=5", (), config, Path("x"))
    two_seeds = point._replace(config=load_config("r2rt_n5", ["training.seeds=2"]))
    print_results(
        [
            Result(two_seeds, "complete", 0.51239, 24.68, ""),
            Result(point._replace(name="b"), "interrupted", None, 7.5, ""),
            Result(point._replace(name="c"), "missing", None, 0, ""),
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "point              status         loss  seconds a seed",
        "-----------------  -----------  ------  --------------",
        "graph.num_steps=5  complete     0.5124            12.3",
        "b                  interrupted",
        "c                  missing",
    ]
