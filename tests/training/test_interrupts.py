"""experiments/interrupts.py: signals as requests."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiments.config.compose import load_config
from experiments.errors import Interrupted
from experiments.interrupts import interruption, stop_request
from experiments.runs.directory import RunDirectory
from experiments.training.progress import progress
from experiments.training.resources import RunResources
from experiments.training.runner import train_with

if TYPE_CHECKING:
    from experiments.training.session import TrainingSession


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    with stop_request() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested


def test_the_second_signal_insists() -> None:
    with stop_request():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_terminal_that_is_lost_may_say_so_twice() -> None:
    with stop_request() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert stop.requested


def test_under_nohup_a_lost_terminal_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_request() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_earlier_handlers_come_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with stop_request():
        assert [signal.getsignal(number) for number in numbers] != before
    assert [signal.getsignal(number) for number in numbers] == before


def test_in_another_thread_nothing_is_caught_and_nothing_breaks() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with stop_request() as stop:
            seen.append((stop.requested, signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, True)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_within_is_one_for_the_blocks_around(number: signal.Signals) -> None:
    with stop_request() as outer:
        with stop_request() as inner:
            signal.raise_signal(number)
            assert inner.requested
        assert outer.requested
        with stop_request() as next_one:
            assert next_one.requested
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)


def test_around_a_command_the_first_signal_raises_and_is_noted() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruption() as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop.raised
    assert signal.getsignal(signal.SIGINT) is before


def test_a_request_within_a_command_is_noted_when_it_insists() -> None:
    with interruption() as stop, stop_request():
        noted = []
        signal.raise_signal(signal.SIGINT)
        noted.append((stop.requested, stop.raised))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        noted.append((stop.requested, stop.raised))
    assert noted == [(True, False), (True, True)]


def test_a_request_while_the_graph_is_built_ends_the_run_before_its_first_update(
    tmp_path: Path,
) -> None:
    def open_sessions(*_: object) -> list[TrainingSession]:
        signal.raise_signal(signal.SIGINT)
        return []  # nothing may be trained

    config = load_config("r2rt_n5", ["logging.tensorboard=false"])
    with pytest.raises(Interrupted, match="stopped before seed 0; rerun the command to resume"):
        train_with(RunResources(open_sessions, progress), config, tmp_path / "run")
    assert RunDirectory(tmp_path / "run").read_summary()["status"] == "interrupted"
