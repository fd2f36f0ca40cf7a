"""experiments/sweeps/display.py: points under way, and the table at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.config.compose import load_config
from experiments.sweeps.display import BarDisplay, PlainDisplay, UnderWay, Watch, print_table, watch
from experiments.sweeps.points import Point, Result


class Seen:
    """A display that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now: tuple[int, dict[str, str]] = (0, {})

    def say(self, text: str) -> None:
        self.lines.append(text)

    def show(self, ended: int, under_way: UnderWay) -> None:
        self.now = ended, {name: str(place) for name, place in under_way.items()}


def began(name: str) -> dict[str, Any]:
    return {"kind": "began", "name": name}


def advanced(name: str, done: int) -> dict[str, Any]:
    place = {"what": "seed 0", "done": done, "total": 10, "loss": 0.5}
    return {"kind": "advanced", "name": name, **place}


def ended(name: str, reason: str = "") -> dict[str, Any]:
    loss = None if reason else 0.25
    return {"kind": "ended", "name": name, "reason": reason, "loss": loss, "seconds": 3.0}


def heard(*messages: dict[str, Any]) -> Seen:
    seen = Seen()
    watching = Watch(2, seen)
    for message in messages:
        watching.hear(message)
    return seen


def test_points_begin_advance_and_end() -> None:
    seen = heard(began("a"), began("b"), advanced("a", 5), ended("b", "the disk is full"))
    assert seen.now == (1, {"a": "seed 0, 5/10 updates, loss 0.5000"})
    assert seen.lines == ["[1/2] b: failed: the disk is full"]


def test_a_complete_point_shows_loss_and_seconds() -> None:
    assert heard(began("a"), ended("a")).lines == ["[1/2] a: complete, loss 0.2500, 3 s"]


def test_a_message_that_comes_late_changes_nothing() -> None:
    seen = heard(began("a"), ended("a"), advanced("a", 10), ended("a"))
    assert len(seen.lines) == 1
    assert seen.now == (1, {})


def test_the_result_of_a_call_stands_in_for_messages_that_were_lost() -> None:
    seen = Seen()
    Watch(1, seen).ended("a", "killed by SIGKILL")
    assert seen.lines == ["[1/1] a: failed: killed by SIGKILL"]


def test_a_point_that_begins_again_lost_its_worker() -> None:
    assert heard(began("a"), began("a")).lines == [
        "a: its worker died; another one goes on with it"
    ]  # fmt: skip


def test_plain_lines_keep_their_distance(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("experiments.sweeps.display.time.monotonic", lambda: now[0])
    watching = Watch(1, PlainDisplay())
    for second in range(25):
        now[0] = second
        watching.hear(advanced("a", second))
    assert capsys.readouterr().out.splitlines() == [
        "0 ended, 1 under way:", "  a: seed 0, 10/10 updates, loss 0.5000",
        "0 ended, 1 under way:", "  a: seed 0, 20/10 updates, loss 0.5000",
    ]  # fmt: skip


def test_on_a_terminal_there_is_a_bar_for_each_point_under_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with watch(2) as watching:
        display = watching._display
        assert isinstance(display, BarDisplay)
        watching.hear(began("a[b]"))
        watching.hear(advanced("a[b]", 5))
        points, bar = display.bars.tasks
        assert (bar.description, bar.completed, bar.total) == ("a[b]", 5, 10)
        watching.hear(ended("a[b]"))
        assert (display.bars.tasks, points.completed) == ([points], 1)
    assert "[1/2] a[b]: complete" in capsys.readouterr().out


def test_the_table_has_a_line_for_each_point(capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config("r2rt_n5")
    point = Point("graph.num_steps=5", (), config, Path("x"))
    print_table(
        [
            Result(point, "complete", 0.51239, 12.34, ""),
            Result(point._replace(name="b"), "missing", None, 0, ""),
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "point              status           loss   seconds",
        "graph.num_steps=5  complete       0.5124      12.3",
        "b                  missing",
    ]
