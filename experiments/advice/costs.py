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

ROUNDS = 7


def time_settings(
    config: Config, settings: Sequence[Setting], seconds: float
) -> dict[Setting, float]:
    """Seconds that each setting takes for one symbol: the median of rounds in turn.

    Graphs are built in the order given until `seconds` have passed; later settings, and those
    whose window the data do not fill, are left out. Whether XLA compiles is decided as in `train`.
    """
    deadline = time.monotonic() + seconds
    calls: dict[Setting, Call] = {}
    with ExitStack() as stack:
        for setting in settings:
            if calls and time.monotonic() > deadline:
                break
            try:
                call = training_call(stack, setting.applied_to(config))
            except UsageError:
                continue
            call.train()  # compiles, which counts against the deadline
            calls[setting] = call
        functions = [call.train for call in calls.values()]
        table = in_turn(functions, ROUNDS, clock_for(config.execution.threads))
    return {
        setting: median(times) / call.symbols
        for (setting, call), times in zip(calls.items(), table, strict=True)
    }
