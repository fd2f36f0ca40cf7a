"""experiments/sweeps/monitor.py: points that run and points that have ended."""

from __future__ import annotations

import pytest

from experiments.sweeps.messages import Message, advanced, began, ended, entered
from experiments.sweeps.monitor import Monitor, Overall, Running


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
    monkeypatch.setattr("experiments.sweeps.monitor.time.monotonic", lambda: now[0])
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
    monkeypatch.setattr("experiments.sweeps.monitor.time.monotonic", lambda: now[0])
    seen = Seen()
    monitor = Monitor(4, seen)
    for name in "abc":  # in no time
        monitor.receive(complete(name))
    monitor.receive(at("d", 2))  # resumed at update 2
    now[0] += 30
    monitor.receive(at("d", 4))  # 2 updates took 30 s, 6 are left
    assert seen.overall[-1].remaining == pytest.approx(90)


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
