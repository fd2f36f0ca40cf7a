"""A forward graph for evaluation, with any batch size and number of time steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.config import GraphConfig, ModelConfig
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.metrics import label_metrics
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf

Tensor = Any


class EvaluationGraph(NamedTuple):
    """Endpoints of a finalized forward graph."""

    graph: tf.Graph
    inputs: Tensor  # feed: ids [time, batch], or features [time, batch, num_inputs]
    labels: Tensor  # feed: [time, batch]
    lengths: Tensor  # feed: [batch], time steps before the padding
    batch_size: Tensor  # feed only to fetch `first_state`
    first_state: Tensor  # fetch at the start of the rows
    state: Tensor  # feed: a fetched `first_state` or `final_state`
    losses: Tensor  # fetch: [time, batch], nats
    metrics: dict[str, Tensor]  # fetch: [time, batch] each, of metrics that are means over labels
    logits: Tensor  # fetch: [time, batch, num_classes]
    probabilities: Tensor  # fetch: [time, batch, num_classes]
    final_state: Tensor  # fetch, to feed with the next time steps
    snapshot: Snapshot  # the model's variables
    layer_weights: int  # that each time step of a row is multiplied by


def build_evaluation_graph(
    model_config: ModelConfig, graph_config: GraphConfig, shape: TaskShape
) -> EvaluationGraph:
    """The model without dropout, in a while loop; all unrolls give the same results."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config.without_dropout, shape, tf.as_dtype(graph_config.precision))
        tail = shape.input_tail
        inputs = tf.placeholder(shape.input_dtype, [None, None, *tail], "inputs")
        labels = tf.placeholder(shape.label_dtype, [None, None], "labels")
        lengths = tf.placeholder(tf.int32, [None], "lengths")
        batch_size = tf.placeholder(tf.int32, [], "batch_size")
        first_state = model.first_state.rows(batch_size)
        state = tf.nest.map_structure(
            lambda part: tf.placeholder(part.dtype, [None, *part.shape[1:]]), first_state
        )
        key = tf.zeros([2], tf.int32)  # unused: nothing is drawn
        shortened = lengths if graph_config.padding == "sequence_length" else None
        encoded = model.encode(inputs, key)
        unrolled = model.unrolls["dynamic"](model.cell, encoded, state, shortened)
        logits = model.head.logits(unrolled.outputs)
        metrics = label_metrics(logits, labels, shape.labels)
        losses = model.head.losses(logits, labels)
        snapshot = make_snapshot(model.all_variables)
        probabilities = tf.nn.softmax(logits)
        of_layers = [each for each in model.all_variables if each.op.name in model.layer_sizes]
    graph.finalize()
    return EvaluationGraph(
        graph, inputs, labels, lengths, batch_size, first_state, state, losses, metrics,
        logits, probabilities, unrolled.final_state, snapshot,
        sum(each.shape.num_elements() for each in of_layers),
    )  # fmt: skip
