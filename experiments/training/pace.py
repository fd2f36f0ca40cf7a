"""Updates of a config as a function to time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import NamedTuple

from data.streams import training_stream
from experiments.config.schema import Config
from experiments.training.session import TrainingSession, build
from experiments.training.timing import Clock, seconds
from experiments.training.workload import Workload, make_workload
from rnn_graphs.graphs.training import TrainingGraph

SYMBOLS = 100_000  # in one call
CALL_SECONDS = 0.5  # of one session.run whose length is free
ROUNDS = 3


class Call(NamedTuple):
    """Updates to time, each call the same ones, and what a whole call trains on."""

    session: TrainingSession
    train_first: Callable[[int], object]  # makes that many of the updates
    updates: int
    symbols: int

    def train(self) -> None:
        """Make all updates, in one session.run."""
        self.train_first(self.updates)


def training_call(stack: ExitStack, config: Config, symbols: int = SYMBOLS) -> Call:
    """A call that makes several updates, as `train` makes them; `stack` closes its session.

    It trains on about `symbols`, or makes one update if that is more.

    Whether XLA compiles is decided as in `train`; the first call then compiles. Raises
    UsageError where the data do not fit the config.
    """
    most = max(1, symbols // (config.graph.batch_size * config.graph.num_steps))
    most = min(most, config.execution.iterations_per_loop)
    execution = config.execution.model_copy(update={"iterations_per_loop": most})
    config = config.model_copy(update={"execution": execution})
    workload = make_workload(config)
    return open_call(stack, config, workload, build(config, workload))


def open_call(stack: ExitStack, config: Config, workload: Workload, graph: TrainingGraph) -> Call:
    """A call that trains on as many windows as the graph takes; `stack` closes its session."""
    steps, seed = config.graph.num_steps, config.training.first_seed
    count = min(graph.iterations, workload.updates_per_epoch)
    rows = workload.draw(training_stream(seed), config.graph.batch_size)
    session = stack.enter_context(TrainingSession(graph, config.execution.threads))
    session.initialize(seed)

    def train_first(updates: int) -> None:
        windows = rows.windows(0, updates, steps, config.truncation.context_steps)
        session.train(windows, updates)

    return Call(session, train_first, count, count * config.graph.batch_size * steps)


def time_updates(call: Call, clock: Clock = time.perf_counter) -> tuple[float, float]:
    """The seconds of the first update, which compiles where XLA does, and of each after it.

    No session.run takes much longer than CALL_SECONDS, unless a single update does.
    """
    first = seconds(partial(call.train_first, 1), clock)
    one = seconds(partial(call.train_first, 1), clock)
    count = max(1, min(call.updates, int(CALL_SECONDS / one)))
    times = [seconds(partial(call.train_first, count), clock) for _ in range(ROUNDS)]
    return first, median(times) / count
