"""Updates of a config as a function to time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from data.streams import training_stream
from experiments.config.schema import Config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import Workload, make_workload
from rnn_graphs.build import TrainingGraph

SYMBOLS = 100_000  # in one call


class Call(NamedTuple):
    """A function that trains, and what one call of it trains on."""

    session: TrainingSession
    train: Callable[[], object]
    updates: int
    symbols: int


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
    windows = rows.windows(0, count, steps, config.truncation.context_steps)
    session = stack.enter_context(TrainingSession(graph, config.execution.threads))
    session.initialize(seed)
    symbols = count * config.graph.batch_size * steps
    return Call(session, partial(session.train, windows, count), count, symbols)
