"""experiments/interrupts.py: signals as requests."""

from __future__ import annotations

import signal
import threading

import pytest

from experiments.interrupts import stop_request


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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


def test_the_earlier_handlers_come_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
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
