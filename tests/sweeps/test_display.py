"""experiments/sweeps/display.py: the progress of points, as bars, as plain lines, or not at all."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from experiments.console import quietly
from experiments.sweeps.display import BarDisplay, PlainDisplay, clock, open_monitor
from experiments.sweeps.messages import Message, advanced, began, ended, entered
from experiments.sweeps.monitor import Monitor, Overall, PointProgress, RunningPoint


def at(name: str, done: int) -> Message:
    return advanced(name, "seed 0", done, 10, 0.5)


def complete(name: str) -> Message:
    return ended(name, "", 0.25, 3.0)


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


def test_a_point_is_shown_by_its_label(capsys: pytest.CaptureFixture[str]) -> None:
    with open_monitor(2, {"graph.num_steps=1,task.size=20000": "graph.num_steps=1"}) as monitor:
        monitor.end("graph.num_steps=1,task.size=20000", "killed")
    assert capsys.readouterr().out == "[1/2] graph.num_steps=1: failed: killed\n"
