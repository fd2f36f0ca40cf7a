"""The time of data generation and of one update, compared with the blog's code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.batching import Windows
from experiments.benchmarks import blog
from experiments.benchmarks.timing import Measurement, Pair, alternate, at_least
from experiments.config.compose import load_config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload

ROUNDS = 7
SYMBOLS = 1_000_000
BLOG_UPDATES = 200  # of the blog's loop, in one round
LOOPS = 20  # our session.runs, in one round


class Case(NamedTuple):
    """The setting of one row of the table."""

    num_steps: int
    state_size: int
    unroll: str
    at_least: float


CASES = (
    Case(1, 4, "static", 40),
    Case(5, 4, "static", 12),
    Case(5, 4, "dynamic", 8),
    Case(10, 16, "static", 3.5),
)


def measure_data() -> Measurement:
    """Time the generation of one epoch of 1,000,000 symbols."""
    config = load_config("r2rt_n5", [f"task.size={SYMBOLS}"])
    task, stream = make_workload(config).task, np.random.RandomState(0)
    np.random.seed(0)
    pair = alternate(lambda: task.draw(stream), lambda: blog.gen_data(SYMBOLS), ROUNDS)
    return at_least(f"data generation, {SYMBOLS:,} symbols", pair, 1e3, "ms", 30)


def measure_updates() -> Sequence[Measurement]:
    """Time updates of each case under XLA after compiling, compared with the blog's loop."""
    return [measure_update(case) for case in CASES]


def measure_update(case: Case) -> Measurement:
    """Time an update, ours in the graph under XLA and the blog's by feed_dict."""
    config = load_config(
        "r2rt_n5",
        [
            f"graph.num_steps={case.num_steps}",
            f"model.state_size={case.state_size}",
            f"graph.unroll={case.unroll}",
            "execution.xla=on",
        ],
    )
    workload = make_workload(config)
    model = blog.BlogModel(case.num_steps, case.state_size, case.unroll == "dynamic")
    sequence = workload.task.draw(np.random.RandomState(0))
    batches = list(blog.gen_batch((sequence.inputs, sequence.labels), case.num_steps))[
        :BLOG_UPDATES
    ]
    graph = build(config, workload)
    with model.session, TrainingSession(graph, config.execution.threads) as session:
        session.initialize(0)
        width = session.iterations * case.num_steps
        shape = (config.graph.batch_size, width)
        count = config.graph.batch_size * width
        windows = Windows(
            sequence.inputs[:count].reshape(shape), sequence.labels[:count].reshape(shape)
        )

        def ours() -> None:
            for _ in range(LOOPS):
                session.train(windows, session.iterations)

        def theirs() -> None:
            for x, y in batches:
                model.update(x, y)

        pair = alternate(ours, theirs, ROUNDS)
    per_update = LOOPS * session.iterations, len(batches)
    each = Pair(
        pair.first / per_update[0],
        pair.second / per_update[1],
        pair.ratio * per_update[0] / per_update[1],
    )
    name = f"update, num_steps {case.num_steps}, state {case.state_size}, {case.unroll}"
    return at_least(name, each, 1e6, "µs", case.at_least)
