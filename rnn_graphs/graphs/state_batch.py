"""A forward graph of a batch of rows that returns their states along time."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.config import GraphConfig, ModelConfig
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.recording import RecordingCell

Tensor = Any


class StateBatchGraph(NamedTuple):
    """Endpoints of a finalized graph."""

    graph: tf.Graph
    inputs: Tensor  # feed: ids [time, batch], or features [time, batch, num_inputs]
    states: Tensor  # fetch: [time, batch, units], all parts of the state, from the first state on
    snapshot: Snapshot  # the model's variables


def build_state_batch_graph(
    model_config: ModelConfig, graph_config: GraphConfig, shape: TaskShape, time: int, batch: int
) -> StateBatchGraph:
    """The model's states along time, without dropout."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config.without_dropout, shape, tf.as_dtype(graph_config.precision))
        inputs = tf.placeholder(shape.input_dtype, [time, batch, *shape.input_tail], "inputs")
        encoded = model.encode(inputs, tf.zeros([2], tf.int32))
        cell, state = RecordingCell(model.cell), model.first_state.rows(batch)
        recorded = model.unrolls["dynamic"](cell, encoded, state, None).outputs.state
        states = tf.concat(tf.nest.flatten(recorded), -1)
        snapshot = make_snapshot(model.all_variables)
    graph.finalize()
    return StateBatchGraph(graph, inputs, states, snapshot)
