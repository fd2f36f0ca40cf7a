"""A forward graph for evaluation: any batch size, any number of time steps a run."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.build import Snapshot, TaskShape, make_snapshot
from rnn_graphs.config import GraphConfig, ModelConfig
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from rnn_graphs.unrolls import dynamic

Tensor = Any


class EvaluationGraph(NamedTuple):
    """Endpoints of a finalized forward graph."""

    graph: tf.Graph
    inputs: Tensor  # feed: ids, int32 [time, batch]
    labels: Tensor  # feed: ids, int32 [time, batch]
    batch_size: Tensor  # feed with `zero_state` only
    zero_state: Tensor  # fetch at the start of the rows
    state: Tensor  # feed: what was fetched as `zero_state` or `final_state`
    losses: Tensor  # fetch: [time, batch], nats
    probabilities: Tensor  # fetch: [time, batch, num_classes]
    final_state: Tensor  # fetch, to feed with the next time steps
    snapshot: Snapshot  # the model's variables


def build_evaluation_graph(
    model_config: ModelConfig, graph_config: GraphConfig, shape: TaskShape
) -> EvaluationGraph:
    """The model alone, unrolled by `dynamic_rnn`: all unrolls give the same."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config, *shape, tf.as_dtype(graph_config.precision))
        inputs = tf.placeholder(tf.int32, [None, None], "inputs")
        labels = tf.placeholder(tf.int32, [None, None], "labels")
        batch_size = tf.placeholder(tf.int32, [], "batch_size")
        zero_state = model.zero_state(batch_size)
        state = tf.nest.map_structure(
            lambda zeros: tf.placeholder(zeros.dtype, [None, *zeros.shape[1:]]), zero_state
        )
        unrolled = dynamic(model.cell, model.encode(inputs), state)
        losses = model.losses(unrolled.outputs, labels)
        probabilities = tf.nn.softmax(model.logits(unrolled.outputs))
        snapshot = make_snapshot(model.variables)
    graph.finalize()
    return EvaluationGraph(
        graph, inputs, labels, batch_size, zero_state, state, losses, probabilities,
        unrolled.final_state, snapshot,
    )  # fmt: skip
