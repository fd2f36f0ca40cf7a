"""truncation.kind adaptive: one graph for all depths against a graph for each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from experiments.benchmarks.timing import Measurement, at_most, compare
from experiments.config.compose import load_config
from experiments.training.pace import Call, open_call
from experiments.training.session import build
from experiments.training.timing import in_turn
from experiments.training.workload import make_workload

ROUNDS = 7
NUM_STEPS = 20
DEPTHS = (1, 2, 4, 5, 10, 20)  # the divisors of NUM_STEPS
TIMED = (1, 20)
UPDATES = 20  # a session.run
AT_MOST = 1.5  # times the update of a graph for its depth alone
ONE = f"one graph for {len(DEPTHS)} depths"


class Opened(NamedTuple):
    """A session that has trained."""

    call: Call  # makes UPDATES updates
    seconds: float  # to build the graph and make its first updates


def measure_adaptive() -> Sequence[Measurement]:
    """Time the graph that holds a branch for each depth, and those that hold one."""
    with ExitStack() as stack:
        alone = {depth: _opened(stack, depth, depth) for depth in DEPTHS}
        together = _opened(stack, DEPTHS[0], DEPTHS[-1])
        rows = [_update(together, alone[depth], depth) for depth in TIMED]
    ours, theirs = together.seconds, sum(one.seconds for one in alone.values())
    name = f"adaptive, until the first update: {ONE} against {len(DEPTHS)}"
    return [*rows, Measurement(name, ours, "s", theirs, ours / theirs, "", None)]


def _update(together: Opened, alone: Opened, depth: int) -> Measurement:
    together.call.session.choose(DEPTHS.index(depth))
    ours, theirs = (
        [value / UPDATES for value in values]
        for values in in_turn([together.call.train, alone.call.train], ROUNDS, time.process_time)
    )
    name = f"adaptive, update at depth {depth}: {ONE} against its own"
    return at_most(name, compare(ours, theirs), 1e3, "ms", AT_MOST)


def _opened(stack: ExitStack, least: int, most: int) -> Opened:
    config = load_config(
        "copy_memory",
        [
            "task.alphabet=4", "task.marker=true", "task.size=64000",
            f"graph.num_steps={NUM_STEPS}", f"execution.iterations_per_loop={UPDATES}",
            f"truncation={{kind: adaptive, tolerance: 0.5, least: {least}, most: {most}, "
            "depth: null, stride: null, context: false}",
        ],
    )  # fmt: skip
    work = make_workload(config)
    began = time.perf_counter()
    call = open_call(stack, config, work, build(config, work))
    call.train()
    return Opened(call, time.perf_counter() - began)
