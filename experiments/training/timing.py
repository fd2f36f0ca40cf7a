"""Time functions in turn, so that a drift in the machine's speed affects all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

Clock = Callable[[], float]


def seconds(function: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """The seconds that one call takes."""
    began = clock()
    function()
    return clock() - began


def in_turn(
    functions: Sequence[Callable[[], object]], rounds: int, clock: Clock = time.perf_counter
) -> list[list[float]]:
    """Time functions A B C A B C …, after an untimed first call of each.

    Returns the seconds of each function, by round.
    """
    for function in functions:
        function()
    table = [[seconds(function, clock) for function in functions] for _ in range(rounds)]
    return [list(column) for column in zip(*table, strict=True)]


def clock_for(threads: int | Literal["auto"] | None) -> Clock:
    """CPU time where one thread does all the work, which a busy machine disturbs less.

    auto is one thread where no run decides it (session.py).
    """
    return time.process_time if threads in (1, "auto") else time.perf_counter
