"""The cost of true truncation, compared with the TF style and with r2rt's own graph.

Seconds are CPU time. One thread does all the work, so CPU time equals elapsed time on an idle
machine and is less disturbed on a busy one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from time import process_time
from typing import NamedTuple

from experiments.benchmarks import per_loss
from experiments.benchmarks.graphs import count_operations
from experiments.benchmarks.timing import Measurement, at_least, at_most, compare
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.training.pace import open_call
from experiments.training.session import build
from experiments.training.timing import in_turn
from experiments.training.workload import make_workload
from rnn_graphs.graphs.training import StepMaker, TrainingGraph
from rnn_graphs.truncation.step import make_step

ROUNDS = 7
BUILDS = 5
WILLIAMS_PENG_AT_MOST = 2.2
BUILD_AT_LEAST = 8


class Shape(NamedTuple):
    """The dimensions at which styles are compared."""

    num_steps: int
    depth: int
    state_size: int

    def __str__(self) -> str:
        return f"num_steps {self.num_steps}, depth {self.depth}, state {self.state_size}"


class Case(NamedTuple):
    """A shape, with the target for an update of true_bptt as a multiple of tf_style."""

    shape: Shape
    iterations: int  # updates a session.run
    at_most: float


CASES = (Case(Shape(20, 10, 16), 50, 1.6), Case(Shape(40, 20, 100), 5, 3.0))


class Contender(NamedTuple):
    """A way to compute a gradient, with its config."""

    config: Config
    step_maker: StepMaker = make_step

    def build(self) -> TrainingGraph:
        """Build the finalized training graph, with loop and optimizer."""
        return build(self.config, make_workload(self.config), self.step_maker)


class GraphSize(NamedTuple):
    """The size of a true_bptt graph. Each function counts once, however often it is used."""

    num_steps: int
    depth: int
    operations: int


def measure_truncation() -> Sequence[Measurement]:
    """Time an update of each case, and the build of the last one."""
    rows = [row for case in CASES for row in measure_updates(case)]
    return [*rows, measure_build(CASES[-1].shape)]


def measure_updates(case: Case) -> Sequence[Measurement]:
    """Time all contenders in turn with and without XLA, and take the faster of the two."""
    shape, stride = case.shape, case.shape.depth // 2
    contenders = [*_contenders(case, "off"), *_contenders(case, "on")]
    with ExitStack() as stack:
        trainings = [_training(stack, contender) for contender in contenders]
        seconds = [
            [value / case.iterations for value in values]
            for values in in_turn(trainings, ROUNDS, process_time)
        ]
    half = len(seconds) // 2
    executions = zip(seconds[:half], seconds[half:], strict=True)
    tf_style, true_bptt, williams_peng, graph_a_loss = [
        min(pair, key=median) for pair in executions
    ]
    return [
        at_most(
            f"update, {shape}: true_bptt against tf_style",
            compare(true_bptt, tf_style), 1e6, "µs", case.at_most,
        ),
        at_most(
            f"update, {shape}: williams_peng, stride {stride}, against tf_style",
            compare(williams_peng, tf_style), 1e6, "µs", WILLIAMS_PENG_AT_MOST,
        ),
        at_least(
            f"update, {shape}: true_bptt against a graph a loss",
            compare(true_bptt, graph_a_loss), 1e6, "µs", 1,
        ),
    ]  # fmt: skip


def _contenders(case: Case, xla: str) -> Sequence[Contender]:
    shape, stride = case.shape, case.shape.depth // 2
    execution = f"execution.xla={xla}", f"execution.iterations_per_loop={case.iterations}"
    true_bptt = _config(shape, "true_bptt", *execution)
    return [
        Contender(_config(shape, "tf_style", *execution)),
        Contender(true_bptt),
        Contender(_config(shape, "williams_peng", f"truncation.stride={stride}", *execution)),
        Contender(true_bptt, per_loss.make_step),
    ]


def measure_build(shape: Shape) -> Measurement:
    """Time the build, which does not involve XLA; that compiles at the first update."""
    config = _config(shape, "true_bptt", "execution.xla=off")
    ours, theirs = Contender(config), Contender(config, per_loss.make_step)
    pair = compare(*in_turn([ours.build, theirs.build], BUILDS, process_time))
    name = f"build, {shape}: true_bptt against a graph a loss"
    return at_least(name, pair, 1, "s", BUILD_AT_LEAST)


def measure_sizes() -> Sequence[GraphSize]:
    """Graph sizes for several num_steps at one depth, then several depths at one num_steps."""
    sizes = []
    for num_steps, depth in ((10, 5), (20, 5), (40, 5), (80, 5), (40, 10), (40, 20)):
        config = _config(Shape(num_steps, depth, 16), "true_bptt", "execution.xla=off")
        graph = Contender(config).build().graph
        sizes.append(GraphSize(num_steps, depth, count_operations(graph)))
    return sizes


def judge_sizes(sizes: Sequence[GraphSize]) -> Sequence[Measurement]:
    """Rows whose target is twice the operations, for twice the steps and four times the depth."""
    found = {(size.num_steps, size.depth): size.operations for size in sizes}
    pairs = {
        "graph of true_bptt, depth 5: num_steps 80 against 40": (found[80, 5], found[40, 5]),
        "graph of true_bptt, num_steps 40: depth 20 against 5": (found[40, 20], found[40, 5]),
    }
    return [
        Measurement(
            name, here, "operations", baseline, here / baseline,
            "at most 2 times as many", here <= 2 * baseline,
        )
        for name, (here, baseline) in pairs.items()
    ]  # fmt: skip


def _config(shape: Shape, kind: str, *overrides: str) -> Config:
    return load_config(
        "r2rt_n5",
        [
            f"graph.num_steps={shape.num_steps}",
            f"model.state_size={shape.state_size}",
            f"truncation.kind={kind}",
            f"truncation.depth={shape.depth}",
            *overrides,
        ],
    )


def _training(stack: ExitStack, contender: Contender) -> Callable[[], object]:
    """Open a session. Returns a function that makes one session.run of training."""
    config = contender.config
    return open_call(stack, config, make_workload(config), contender.build()).train
