"""The cost of an influence, compared with the same graph without one and with full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from time import process_time
from typing import NamedTuple

import numpy as np

from experiments.benchmarks.timing import Measurement, at_most, compare
from experiments.config.compose import load_config
from experiments.training.pace import training_call
from experiments.training.timing import in_turn

ROUNDS = 7
STATES = (16, 32, 64)  # of the exponent, with num_steps equal to the state size, 20 rows
EXPONENT_AT_MOST = 3.2


class Case(NamedTuple):
    """A style with an influence against a style without one, at one shape."""

    kind: str
    against: str
    num_steps: int
    state_size: int
    at_most: float  # times as long
    iterations: int  # updates a session.run


CASES = (
    Case("rtrl", "tf_style", 1, 4, 1.5, 200),
    Case("rtrl", "tf_style", 1, 16, 8, 50),
    Case("rtrl", "full", 10, 16, 6, 20),
    Case("uoro", "full", 10, 16, 2.5, 50),
)


def measure_influences() -> Sequence[Measurement]:
    """Time an update of each case, and the growth of rtrl's time with the state."""
    return [*map(measure_case, CASES), measure_exponent()]


def measure_case(case: Case) -> Measurement:
    """Time both in turn with and without XLA, and take the faster of the two for each."""
    ways = [(kind, xla) for kind in (case.kind, case.against) for xla in ("off", "on")]
    with ExitStack() as stack:
        trainings = [_training(stack, kind, xla, case) for kind, xla in ways]
        seconds = [
            [value / case.iterations for value in values]
            for values in in_turn(trainings, ROUNDS, process_time)
        ]
    ours, theirs = (min(seconds[first : first + 2], key=median) for first in (0, 2))
    name = (
        f"update, num_steps {case.num_steps}, state {case.state_size}: {case.kind} against "
        f"{case.against}"
    )
    return at_most(name, compare(ours, theirs), 1e6, "µs", case.at_most)


def measure_exponent() -> Measurement:
    """The exponent of rtrl's time for a step in the state size, where num_steps is as large."""
    with ExitStack() as stack:
        cases = [Case("rtrl", "", state, state, 0, 2) for state in STATES]
        trainings = [_training(stack, "rtrl", "off", case, batch_size=20) for case in cases]
        seconds = in_turn(trainings, ROUNDS, process_time)
    steps = [
        median(values) / (case.iterations * case.num_steps)
        for values, case in zip(seconds, cases, strict=True)
    ]
    found = exponent(STATES, steps)
    return Measurement(
        f"time step of rtrl, num_steps = state, {STATES[0]} to {STATES[-1]}: exponent", found, "",
        None, None, f"at most {EXPONENT_AT_MOST:g}", found <= EXPONENT_AT_MOST,
    )  # fmt: skip


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of log seconds against log size, by least squares."""
    x, y = np.log(sizes), np.log(seconds)
    return float(np.polynomial.polynomial.polyfit(x, y, 1)[1])


def _training(
    stack: ExitStack, kind: str, xla: str, case: Case, batch_size: int = 200
) -> Callable[[], object]:
    """Open a session. Returns a function that makes one session.run of training."""
    config = load_config(
        "r2rt_n5",
        [
            f"graph.num_steps={case.num_steps}", f"model.state_size={case.state_size}",
            f"graph.batch_size={batch_size}", f"truncation.kind={kind}", f"execution.xla={xla}",
            f"execution.iterations_per_loop={case.iterations}",
        ],
    )  # fmt: skip
    symbols = case.iterations * batch_size * case.num_steps
    return training_call(stack, config, symbols).train
