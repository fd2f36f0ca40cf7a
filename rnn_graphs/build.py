"""Build the whole training graph from a config: endpoints to feed and to fetch."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs import loops
from rnn_graphs.config import (
    ExecutionConfig,
    GraphConfig,
    ModelConfig,
    OptimizerConfig,
    TruncationConfig,
)
from rnn_graphs.initializers import initialize
from rnn_graphs.model import Model
from rnn_graphs.optimizers import make_optimizer
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation import Step, Window, make_step
from rnn_graphs.unrolls import UNROLLS

Tensor = Any


class TaskShape(NamedTuple):
    """What a graph must know of the task."""

    num_inputs: int
    num_classes: int

    @property
    def ids(self) -> tf.DType:
        """The type to feed ids in: the narrowest, as feeding is a good part of a short update."""
        return tf.int8 if max(self) <= tf.int8.max + 1 else tf.int32


class Snapshot(NamedTuple):
    """Every variable of a graph, to be saved by fetching and restored by feeding."""

    variables: dict[str, Any]  # name → variable
    values: dict[str, Tensor]  # name → placeholder
    restore: tf.Operation  # sets every variable from its placeholder


class TrainingGraph(NamedTuple):
    """Endpoints of a finalized training graph."""

    graph: tf.Graph
    seed: Tensor  # feed: scalar int32
    initialize: tf.Operation  # weights from `seed`, slots, state and position
    inputs: Tensor  # feed: ids [context + iterations * num_steps, batch]
    labels: Tensor  # feed: ids [iterations * num_steps, batch]
    count: Tensor  # feed: scalar int32, how many of the windows to train on
    iterations: int  # windows there is room for in one session.run
    losses: Tensor  # fetch: [iterations], trains; the mean loss of each update
    reset_state: tf.Operation  # zeros, at the start of an epoch
    snapshot: Snapshot


def build_training_graph(
    model_config: ModelConfig,
    graph_config: GraphConfig,
    truncation: TruncationConfig,
    optimizer_config: OptimizerConfig,
    execution: ExecutionConfig,
    shape: TaskShape,
    xla: bool,
) -> TrainingGraph:
    """One graph that trains; each seed of a run initialises it anew."""
    iterations = execution.iterations_per_loop if execution.loop == "in_graph" else 1
    with tf.Graph().as_default() as graph:
        model = Model(model_config, *shape, tf.as_dtype(graph_config.precision))
        step = make_step(model, UNROLLS[graph_config.unroll], truncation)
        optimizer = make_optimizer(optimizer_config)

        def update(result: Step) -> tf.Operation:
            return optimizer.apply_gradients(zip(result.gradients, model.variables, strict=True))

        _create_slots(optimizer, model.variables)
        state = _state_variables(model, graph_config.batch_size)
        time, batch_size = iterations * graph_config.num_steps, graph_config.batch_size
        inputs_shape = [truncation.context_steps + time, batch_size]
        inputs = tf.placeholder(shape.ids, inputs_shape, "inputs")
        labels = tf.placeholder(shape.ids, [time, batch_size], "labels")
        count = tf.placeholder(tf.int32, [], "count")

        def train(window: Window, count: Tensor) -> loops.Looped:
            if execution.loop == "per_step":
                return loops.per_step(step, update, window)
            return loops.in_graph(step, update, window, count, graph_config.num_steps)

        if xla:
            train = tf.function(train, jit_compile=True, autograph=False)
        key = tf.get_variable("key", [2], tf.int32, tf.zeros_initializer(), trainable=False)
        values = tf.nest.map_structure(tf.identity, state)
        looped = train(Window(inputs, labels, values, tf.identity(key)), count)
        with tf.control_dependencies(_assign(state, looped.final_state)):
            advanced = key.assign_add([0, count])  # only now: the updates have read it
        with tf.control_dependencies([advanced]):
            losses = tf.identity(looped.losses, "losses")

        seed = tf.placeholder(tf.int32, [], "seed")
        others = [v for v in tf.global_variables() if not any(v is w for w in model.variables)]
        initial = tf.group(
            initialize(model.variables, seed),
            key.assign(tf.stack([seed, 0])),
            *[variable.initializer for variable in others if variable is not key],
        )
        reset_state = tf.group(*[variable.initializer for variable in tf.nest.flatten(state)])
        snapshot = make_snapshot(tf.global_variables())
    graph.finalize()
    return TrainingGraph(
        graph, seed, initial, inputs, labels, count, iterations, losses, reset_state, snapshot
    )


def _create_slots(optimizer: tf.train.Optimizer, variables: list[Any]) -> None:
    """Create the optimizer's slots now: inside a loop's body they could not be.

    The operation itself is never run.
    """
    optimizer.apply_gradients([(tf.zeros_like(variable), variable) for variable in variables])


def _state_variables(model: Model, batch_size: int) -> Tensor:
    """A variable for each part of the RNN's state: it lives in the graph between updates."""
    with tf.variable_scope("state"):
        leaves = [
            tf.get_variable(
                f"part_{index}", zeros.shape, zeros.dtype, tf.zeros_initializer(), trainable=False
            )
            for index, zeros in enumerate(tf.nest.flatten(model.zero_state(batch_size)))
        ]
    return tf.nest.pack_sequence_as(model.cell.state_size, leaves)


def _assign(state: Tensor, values: Tensor) -> list[Tensor]:
    pairs = zip(tf.nest.flatten(state), tf.nest.flatten(values), strict=True)
    return [variable.assign(value) for variable, value in pairs]


def make_snapshot(variables: list[Any]) -> Snapshot:
    """Endpoints to save and to restore these variables."""
    named = {variable.op.name: variable for variable in variables}
    values = {
        name: tf.placeholder(variable.dtype.base_dtype, variable.shape)
        for name, variable in named.items()
    }
    restore = tf.group(*[named[name].assign(value) for name, value in values.items()])
    return Snapshot(named, values, restore)
