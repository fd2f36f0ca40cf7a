"""Build the whole training graph from a config, with endpoints to feed and fetch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rnn_graphs import loops
from rnn_graphs.buckets import by_bucket
from rnn_graphs.config import (
    ExecutionConfig,
    GraphConfig,
    ModelConfig,
    OptimizerConfig,
    TruncationConfig,
)
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.initializers import initialize
from rnn_graphs.metrics import update_metric
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.optimizers import Updater
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import StepFunction, Window, make_step
from rnn_graphs.unrolls import UnrollFunction
from rnn_graphs.window_start import from_first_state

Tensor = Any
StepMaker = Callable[[Model, UnrollFunction, TruncationConfig], StepFunction]
FED_BYTES = 1 << 24  # of inputs in one session.run, which is always fed as many


class TrainingGraph(NamedTuple):
    """Endpoints of a finalized training graph."""

    graph: tf.Graph
    seed: Tensor  # feed: scalar int32
    initialize: tf.Operation  # weights from `seed`, slots, state and position
    feeds: Feeds
    count: Tensor  # feed: scalar int32, the number of windows to train on
    iterations: int  # the most windows in one session.run
    padded: tuple[int, ...]  # the padded length of each bucket of examples; () without buckets
    metrics: dict[str, Tensor]  # fetch, which trains: [iterations] each; "loss" is a mean
    choose: Choice | None  # sets the depth of a style that chooses it
    reset_state: tf.Operation  # resets what is carried, at the start of an epoch
    snapshot: Snapshot


class Choice(NamedTuple):
    """Endpoints that set the depth of a style that chooses it."""

    index: Tensor  # feed: scalar int32, among the depths of the style
    set: tf.Operation


class Feeds(NamedTuple):
    """Placeholders for consecutive windows, side by side; None for what the task lacks."""

    inputs: Tensor  # [context + iterations * num_steps, batch], features: [..., num_inputs]
    labels: Tensor  # [iterations * num_steps, batch]
    weights: Tensor | None  # [iterations * num_steps, batch]
    lengths: Tensor | None  # [iterations, batch]
    buckets: Tensor | None  # [iterations], int32: the bucket of each window


class GraphConfigs(NamedTuple):
    """The parts of a config that a training graph is built from."""

    model: ModelConfig
    graph: GraphConfig
    truncation: TruncationConfig
    optimizer: OptimizerConfig
    execution: ExecutionConfig


def build_training_graph(
    configs: GraphConfigs,
    shape: TaskShape,
    metrics: Sequence[str],
    xla: bool,
    step_maker: StepMaker = make_step,
) -> TrainingGraph:
    """One graph for all seeds of a run; each seed initialises it again.

    `metrics` names the metrics of every update beside its loss (rnn_graphs/metrics.py).
    """
    in_graph = configs.execution.loop == "in_graph"
    iterations = _most_windows(configs, shape) if in_graph else 1
    with tf.Graph().as_default() as graph:
        dtype = tf.as_dtype(configs.graph.precision)
        model = Model(configs.model, shape, dtype, xla, configs.graph.in_a_loop)
        updater = Updater(configs.optimizer, model.variables)
        step = step_maker(model, model.unrolls[configs.graph.unroll], configs.truncation)
        update = _make_update(model, updater, from_first_state(model, step), metrics)
        if shape.padded:
            update = by_bucket(update, shape.padded)
        names = dict.fromkeys(["loss", *metrics], model.dtype)
        feeds = _make_feeds(configs, shape, iterations)
        count = tf.placeholder(tf.int32, [], "count")

        def train(windows: Window, count: Tensor) -> loops.Looped:
            if in_graph:
                return loops.in_graph(update, names, windows, count, configs.graph.num_steps)
            return loops.per_step(update, loops.only_window(windows))

        if xla:
            train = tf.function(train, jit_compile=True, autograph=False)
        carried = _carried_variables(model, configs)
        key = tf.get_variable("key", [2], tf.int32, tf.zeros_initializer(), trainable=False)
        measured = _trained(train, feeds, count, carried, key)
        seed = tf.placeholder(tf.int32, [], "seed")
        initial = _initialized(model, seed, key)
        reset_state = tf.group(*[variable.initializer for variable in tf.nest.flatten(carried)])
        choose = _make_choice(configs.truncation, carried)
        snapshot = make_snapshot(tf.global_variables())
    graph.finalize()
    return TrainingGraph(
        graph, seed, initial, feeds, count, iterations, shape.padded, measured, choose, reset_state,
        snapshot,
    )  # fmt: skip


def _trained(
    train: Callable[[Window, Tensor], loops.Looped],
    feeds: Feeds,
    count: Tensor,
    carried: loops.Carried,
    key: Any,
) -> dict[str, Tensor]:
    """The metrics of the updates on what is fed, which leave the variables `carried` and `key`."""
    before = tf.nest.map_structure(tf.identity, carried)
    windows = Window(
        feeds.inputs, feeds.labels, before.state, tf.identity(key), feeds.weights, feeds.lengths,
        before.influence, feeds.buckets,
    )  # fmt: skip
    looped = train(windows, count)
    with tf.control_dependencies(_assign(carried, looped.carried)):
        advanced = key.assign_add([0, count])  # after all updates have read it
    with tf.control_dependencies([advanced]):
        return {name: tf.identity(value) for name, value in looped.metrics.items()}


def _initialized(model: Model, seed: Tensor, key: Any) -> tf.Operation:
    """Sets the weights and the key from the seed, every other variable to its initial value."""
    others = [v for v in tf.global_variables() if not any(v is w for w in model.all_variables)]
    return tf.group(
        initialize(model.all_variables, seed, model.config, model.input_rows),
        key.assign(tf.stack([seed, 0])),
        *[variable.initializer for variable in others if variable is not key],
    )


def _make_update(
    model: Model, updater: Updater, step: StepFunction, metrics: Sequence[str]
) -> loops.UpdateFunction:
    """One update, as a function from a window to its metrics and final state."""

    def update(window: Window) -> loops.Updated:
        result = step(window)
        measured = {"loss": result.loss}
        for name in metrics:
            measured[name] = tf.cast(update_metric(name, result, window, updater), model.dtype)
        carried = loops.Carried(window.state, window.influence)
        if not model.shape.starts_anew:
            carried = loops.Carried(result.final_state, result.influence)
        # Metrics such as the learning rate are read before the update, and so are the weights that
        # the influence depends on.
        before = [*measured.values(), *tf.nest.flatten(carried.influence)]
        with tf.control_dependencies(before):
            operation = updater.apply(result.gradients)
        return loops.Updated(measured, carried, operation)

    return update


def _most_windows(configs: GraphConfigs, shape: TaskShape) -> int:
    """`execution.iterations_per_loop`, or fewer where their inputs would take too much memory."""
    values = configs.graph.num_steps * configs.graph.batch_size * math.prod(shape.input_tail)
    fitting = FED_BYTES // int(values * shape.input_dtype.size)
    return max(1, min(configs.execution.iterations_per_loop, fitting))


def _make_feeds(configs: GraphConfigs, shape: TaskShape, iterations: int) -> Feeds:
    batch, time = configs.graph.batch_size, iterations * configs.graph.num_steps
    inputs = [configs.truncation.context_steps + time, batch, *shape.input_tail]
    weights = lengths = buckets = None
    if not shape.carries_state:
        if configs.graph.padding != "none":
            weights = tf.placeholder(tf.float32, [time, batch], "weights")
        if configs.graph.padding == "sequence_length":
            lengths = tf.placeholder(tf.int32, [iterations, batch], "lengths")
        if shape.padded:
            buckets = tf.placeholder(tf.int32, [iterations], "buckets")
    return Feeds(
        tf.placeholder(shape.input_dtype, inputs, "inputs"),
        tf.placeholder(shape.label_dtype, [time, batch], "labels"),
        weights,
        lengths,
        buckets,
    )


def _carried_variables(model: Model, configs: GraphConfigs) -> loops.Carried:
    """Variables for the RNN's state and the style's influence, which stay in the graph."""
    batch_size = configs.graph.batch_size
    influence = ()
    if not model.shape.starts_anew:
        influence = configs.truncation.first_influence(model, batch_size, configs.graph.num_steps)
    return loops.Carried(
        _variables("state", model.zero_state(batch_size)), _variables("influence", influence)
    )


def _make_choice(truncation: TruncationConfig, carried: loops.Carried) -> Choice | None:
    if not (truncation.chooses and tf.nest.flatten(carried.influence)):
        return None
    index = tf.placeholder(tf.int32, [], "choice")
    return Choice(index, carried.influence.assign(index).op)


def _variables(scope: str, first: Tensor) -> Tensor:
    """A variable for each tensor of `first`, with that initial value."""
    with tf.variable_scope(scope):
        leaves = [
            tf.get_variable(f"part_{index}", initializer=part, trainable=False)
            for index, part in enumerate(tf.nest.flatten(first))
        ]
    return tf.nest.pack_sequence_as(first, leaves)


def _assign(carried: loops.Carried, values: loops.Carried) -> list[Tensor]:
    pairs = zip(tf.nest.flatten(carried), tf.nest.flatten(values), strict=True)
    return [variable.assign(value) for variable, value in pairs]
