"""A graph that measures gradients: the error signal by lag, and every style's gradient.

Weights come from a training graph's snapshot; a window and the state before it are fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rnn_graphs.autodiff import as_vector
from rnn_graphs.config import GraphConfig, ModelConfig, TruncationConfig
from rnn_graphs.error_signal import error_signal
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.graphs.window import DTYPE, fed_window
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step
from rnn_graphs.window_start import from_first_state

Tensor = Any


class GradientGraph(NamedTuple):
    """Endpoints of a finalized graph of one window."""

    graph: tf.Graph
    window: Window  # feed: inputs, labels, the state's leaves, the key, weights if there are any
    first_state: Tensor  # fetch: the state before the first window
    error_signal: Tensor  # fetch: [num_steps], ‖∂L_t/∂h_{t−k}‖ at k = 0, 1, …; t: a row's last loss
    full: Tensor  # fetch: [parameters], the whole gradient of the window
    estimates: list[Tensor]  # fetch: [parameters] each, by truncation
    next_state: Tensor  # fetch, to feed with the next window; the first one if it starts anew
    snapshot: Snapshot  # the model's variables


def build_gradient_graph(
    model_config: ModelConfig,
    graph_config: GraphConfig,
    shape: TaskShape,
    truncations: Sequence[TruncationConfig],
) -> GradientGraph:
    """The training step of every truncation on the same window, without context and dropout."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config.without_dropout, shape, DTYPE)
        first_state = model.first_state.rows(graph_config.batch_size)
        is_weighted = not shape.carries_state and graph_config.padding != "none"
        window = fed_window(graph_config, shape, first_state, is_weighted=is_weighted)
        unroll = model.unrolls[graph_config.unroll]
        full, *steps = (
            from_first_state(model, make_step(model, unroll, truncation))(window)
            for truncation in (TruncationConfig(kind="full"), *truncations)
        )
        signal = error_signal(model, window)
        snapshot = make_snapshot(model.all_variables)
        vectors = [as_vector(step.gradients) for step in steps]
        whole = as_vector(full.gradients)
        next_state = first_state if shape.starts_anew else full.final_state
    graph.finalize()
    return GradientGraph(graph, window, first_state, signal, whole, vectors, next_state, snapshot)
