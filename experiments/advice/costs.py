"""The time of an update of each setting on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from experiments.advice.settings import Setting
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training.pace import Call, training_call
from experiments.training.timing import clock_for, in_turn
from experiments.training.timing import seconds as elapsed

FEWEST_ROUNDS, MOST_ROUNDS = 3, 7
ROUNDS_SHARE = 0.5  # of the time for building, for the rounds after it


def time_settings(
    config: Config, settings: Sequence[Setting], seconds: float
) -> dict[Setting, float]:
    """Seconds that each setting takes for one symbol: the median of rounds in turn.

    Graphs are built in the order given until `seconds` have passed; later settings, and those
    whose window the data do not fill, are left out. Whether XLA compiles is decided as in `train`.
    """
    deadline = time.monotonic() + seconds
    calls: dict[Setting, Call] = {}
    a_round = 0.0
    with ExitStack() as stack:
        for setting in settings:
            if calls and time.monotonic() > deadline:
                break
            try:
                call = training_call(stack, setting.applied_to(config))
            except UsageError:
                continue
            call.train()  # compiles, which counts against the deadline
            a_round += elapsed(call.train)
            calls[setting] = call
        functions = [call.train for call in calls.values()]
        rounds = int(ROUNDS_SHARE * seconds / a_round)
        rounds = max(FEWEST_ROUNDS, min(rounds, MOST_ROUNDS))
        table = in_turn(functions, rounds, clock_for(config.execution.threads))
    return {
        setting: median(times) / call.symbols
        for (setting, call), times in zip(calls.items(), table, strict=True)
    }
