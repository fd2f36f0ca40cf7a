"""Updates of a config as a function to time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from data.streams import training_stream
from experiments.config.schema import Config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload

SYMBOLS = 100_000  # in one call


class Call(NamedTuple):
    """A function that trains, and what one call of it trains on."""

    train: Callable[[], object]
    updates: int
    symbols: int


def training_call(stack: ExitStack, config: Config, symbols: int = SYMBOLS) -> Call:
    """A call that makes several updates, as `train` makes them; `stack` closes its session.

    It trains on about `symbols`, or makes one update if that is more.

    Whether XLA compiles is decided as in `train`; the first call then compiles. Raises
    UsageError where the data do not fit the config.
    """
    graph = config.graph
    an_update = graph.batch_size * graph.num_steps
    most = config.execution.iterations_per_loop if config.execution.loop == "in_graph" else 1
    workload = make_workload(config)
    count = max(1, min(most, symbols // an_update, workload.updates_per_epoch))
    execution = config.execution.model_copy(update={"iterations_per_loop": count})
    config = config.model_copy(update={"execution": execution})
    rows = workload.draw(training_stream(config.training.first_seed), graph.batch_size)
    windows = rows.windows(0, count, graph.num_steps, config.truncation.context_steps)
    session = stack.enter_context(
        TrainingSession(build(config, workload), config.execution.threads)
    )
    session.initialize(config.training.first_seed)
    return Call(partial(session.train, windows, count), count, count * an_update)
