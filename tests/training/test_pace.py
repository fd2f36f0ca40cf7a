"""experiments/training/pace.py: how many updates are timed."""

from __future__ import annotations

from unittest import mock

import pytest

from experiments.training.pace import Call, time_updates


@pytest.mark.parametrize(
    ("compiling", "each", "expected"),
    [
        (3.0, 0.001, [1, 1, 100, 100, 100]),  # all that there are
        (3.0, 0.125, [1, 1, 4, 4, 4]),  # half a second
        (0.0, 20.0, [1, 1, 1, 1, 1]),
    ],
)
def test_a_session_run_that_is_timed_takes_half_a_second_at_most(
    compiling: float, each: float, expected: list[int]
) -> None:
    made: list[int] = []
    clock = [0.0]

    def train_first(updates: int) -> None:
        clock[0] += each * updates + (0 if made else compiling)
        made.append(updates)

    call = Call(mock.Mock(), train_first, updates=100, symbols=1000)
    first, pace = time_updates(call, lambda: clock[0])
    assert made == expected
    assert first == pytest.approx(compiling + each)
    assert pace == pytest.approx(each)
