"""A graph that measures the gradients of styles that carry an influence from window to window.

Weights come from a training graph's snapshot; a window, and the state and the influences before it,
are fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rnn_graphs.autodiff import as_vector
from rnn_graphs.config import GraphConfig, ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.graphs.window import DTYPE, fed_window
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step

Tensor = Any


class CarriedGraph(NamedTuple):
    """Endpoints of a finalized graph of one window, for styles that carry an influence."""

    graph: tf.Graph
    window: Window  # feed: inputs, labels, the leaves of the state and of each influence, the key
    first_state: Any  # fetch: the state and the influence of each style, before the first window
    next_state: Any  # fetch, to feed with the next window: the same, nested alike
    estimates: list[Tensor]  # fetch: [parameters] each, by style: of the recurrent variables
    snapshot: Snapshot  # the model's variables


def build_carried_graph(
    model_config: ModelConfig,
    graph_config: GraphConfig,
    shape: TaskShape,
    truncations: Sequence[TruncationConfig],
) -> CarriedGraph:
    """The training step of every truncation on the same window, each with its own influence."""
    with tf.Graph().as_default() as graph:
        model = Model(model_config.without_dropout, shape, DTYPE)
        sizes = (graph_config.batch_size, graph_config.num_steps)
        influences = [one.first_influence(model, *sizes) for one in truncations]
        first = (model.zero_state(graph_config.batch_size), influences)
        window = fed_window(graph_config, shape, *first)
        unroll = model.unrolls[graph_config.unroll]
        steps = [
            make_step(model, unroll, one)(window._replace(influence=influence))
            for one, influence in zip(truncations, window.influence, strict=True)
        ]
        recurrent = len(model.recurrent_variables)
        estimates = [as_vector(step.gradients[:recurrent]) for step in steps]
        after = (steps[0].final_state, [step.influence for step in steps])
        snapshot = make_snapshot(model.all_variables)
    graph.finalize()
    return CarriedGraph(graph, window, first, after, estimates, snapshot)
