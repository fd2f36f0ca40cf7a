"""The cost of a graph: build time, size, memory, and the time of an update."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.batching import Windows
from experiments.config.compose import load_config
from experiments.training.session import TrainingSession, build
from experiments.training.timing import seconds
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf

UNROLLS = ("scratch", "static", "dynamic")
NUM_STEPS = (1, 5, 10, 20, 50, 100, 200)
UPDATES = 50  # timed, in one session.run


class GraphCost(NamedTuple):
    """The measurements of one graph."""

    unroll: str
    num_steps: int
    operations: int
    build_seconds: float
    first_update_seconds: float
    peak_mebibytes: float  # after the first update, minus the memory before the build
    update_milliseconds: float  # of the following updates


def measure_graphs() -> Sequence[GraphCost]:
    """Measure each graph in a forked process of its own, for its own peak memory."""
    # A fork is safe only before this process opens a session, so bench() calls this first.
    context = multiprocessing.get_context("fork")
    costs = []
    for unroll in UNROLLS:
        for num_steps in NUM_STEPS:
            with context.Pool(1) as pool:
                costs.append(pool.apply(_measure, (unroll, num_steps)))
    return costs


def _measure(unroll: str, num_steps: int) -> GraphCost:
    overrides = [f"graph.unroll={unroll}", f"graph.num_steps={num_steps}"]
    config = load_config("r2rt_n5", [*overrides, "execution.xla=off"])
    workload = make_workload(config)
    before = _peak()
    began = time.perf_counter()
    graph = build(config, workload)
    built = time.perf_counter() - began
    with TrainingSession(graph, 1) as session:
        session.initialize(0)
        zeros = np.zeros((config.graph.batch_size, UPDATES * num_steps), np.int8)
        first = seconds(lambda: session.train(Windows(zeros, zeros), 1))
        peak = _peak() - before
        each = seconds(lambda: session.train(Windows(zeros, zeros), UPDATES)) / UPDATES
    operations = count_operations(graph.graph)
    return GraphCost(unroll, num_steps, operations, built, first, peak, 1000 * each)


def count_operations(graph: tf.Graph) -> int:
    """The number of operations of a graph and of its functions, loop bodies included."""
    definition = graph.as_graph_def()
    functions = definition.library.function
    return len(definition.node) + sum(len(function.node_def) for function in functions)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
