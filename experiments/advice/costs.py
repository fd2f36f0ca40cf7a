"""The time of an update of each setting on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import median

from experiments.advice.settings import Setting
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training.execution import decide
from experiments.training.pace import SYMBOLS, Call, training_call
from experiments.training.timing import clock_for, in_turn
from experiments.training.timing import seconds as elapsed
from experiments.training.workload import make_workload

FEWEST_ROUNDS, MOST_ROUNDS = 3, 7
CALL_SECONDS = 0.2  # that a call should take


def time_settings(
    config: Config, expected: Mapping[Setting, float], until: float
) -> dict[Setting, float]:
    """Seconds that each setting takes for one symbol: the median of rounds in turn.

    `expected` are seconds for one symbol of the settings to time, the most important first. Graphs
    are built in this order while they and the rounds are likely to end before the monotonic time
    `until`; the first one is timed in any case. Settings whose window the data do not fill are left
    out. Whether XLA compiles is decided as in `train`, for the config's own setting, and is the
    same for all: in a short run, compiling would pay for some of them only.
    """
    xla = decide(config, make_workload(config)).xla
    execution = config.execution.model_copy(update={"xla": xla})
    config = config.model_copy(update={"execution": execution})
    calls: dict[Setting, Call] = {}
    a_round = longest = 0.0
    with ExitStack() as stack:
        for setting, symbol_seconds in expected.items():
            began = time.monotonic()
            if calls and began + longest + FEWEST_ROUNDS * a_round > until:
                break
            symbols = min(SYMBOLS, int(CALL_SECONDS / symbol_seconds))
            try:
                call = training_call(stack, setting.applied_to(config), symbols)
            except UsageError:
                continue
            call.train()  # compiles
            a_round += elapsed(call.train)
            calls[setting] = call
            longest = max(longest, time.monotonic() - began)
        if not calls:
            return {}
        rounds = int((until - time.monotonic()) / a_round) - 1  # in_turn begins with an untimed one
        rounds = max(FEWEST_ROUNDS, min(rounds, MOST_ROUNDS))
        functions = [call.train for call in calls.values()]
        table = in_turn(functions, rounds, clock_for(config.execution.threads))
    return {
        setting: median(times) / call.symbols
        for (setting, call), times in zip(calls.items(), table, strict=True)
    }
