"""A graph that reads a model on windows: its losses, and its error signal.

Weights come from a training graph's snapshot; a window and the state before it are fed. Everything
is float64, as in window.py. No gradient with respect to weights is built, so a wide window is
cheap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.config import GraphConfig, ModelConfig
from rnn_graphs.error_signal import error_signal
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.graphs.window import DTYPE, fed_window
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window

Tensor = Any


class SignalGraph(NamedTuple):
    """Endpoints of a finalized graph of one window."""

    graph: tf.Graph
    window: Window  # feed: inputs, labels, the state's leaves, weights if there are any
    first_state: Tensor  # fetch: the state before the first window
    error_signal: Tensor  # fetch: [num_steps], as `error_signal.error_signal`
    losses: Tensor  # fetch: [num_steps, batch], nats
    next_state: Tensor  # fetch, to feed with the next window; the first one if it starts anew
    snapshot: Snapshot  # the model's variables


def build_signal_graph(
    model_config: ModelConfig, graph_config: GraphConfig, shape: TaskShape
) -> SignalGraph:
    """The model without dropout on one window of `num_steps` and `batch_size`."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config.without_dropout, shape, DTYPE)
        first_state = model.first_state.rows(graph_config.batch_size)
        is_weighted = not shape.carries_state
        window = fed_window(graph_config, shape, first_state, is_weighted=is_weighted)
        encoded = model.encode(window.inputs, window.key)
        unrolled = model.unrolls["dynamic"](model.cell, encoded, window.state, None)
        losses = model.head.losses(model.head.logits(unrolled.outputs), window.labels)
        signal = error_signal(model, window)
        next_state = first_state if shape.starts_anew else unrolled.final_state
        snapshot = make_snapshot(model.all_variables)
    graph.finalize()
    return SignalGraph(graph, window, first_state, signal, losses, next_state, snapshot)
