"""A forward graph of one row that returns every state of every layer."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.config import ModelConfig
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.recording import RecordingCell

Tensor = Any


class StateGraph(NamedTuple):
    """Endpoints of a finalized graph."""

    graph: tf.Graph
    inputs: Tensor  # feed: ids [time, 1], or features [time, 1, num_inputs]
    # fetch: what the cell reads, nested as Model.encode returns it; without dropout and a decoder
    # of its own it is one tensor, [time, 1, input_size].
    encoded: Tensor
    first_state: list[list[Tensor]]  # fetch: by layer, the parts of its state, [1, size] each
    states: list[list[Tensor]]  # fetch: after each step, [time, 1, size] each
    variables: list[list[str]]  # by layer, the names of its variables in the order of creation
    snapshot: Snapshot


def build_state_graph(config: ModelConfig, shape: TaskShape, dtype: str) -> StateGraph:
    """The model without dropout, for one row of any length; its layers read in one direction."""
    with tf.Graph().as_default() as graph:
        model = Model(config.without_dropout, shape, tf.as_dtype(dtype))
        inputs = tf.placeholder(shape.input_dtype, [None, 1, *shape.input_tail], "inputs")
        encoded = model.encode(inputs, tf.zeros([2], tf.int32))
        first = model.first_state.rows(1)
        recorded = model.unrolls["dynamic"](RecordingCell(model.cell), encoded, first, None)
        layers = range(len(config.state_sizes))
        names = [
            [v.op.name for v in model.all_variables if f"/layer_{layer}/" in v.op.name]
            for layer in layers
        ]
        snapshot = make_snapshot(model.all_variables)
        states = recorded.outputs.state
    graph.finalize()
    return StateGraph(
        graph, inputs, encoded, _by_layer(first, len(layers)), _by_layer(states, len(layers)),
        names, snapshot,
    )  # fmt: skip


def _by_layer(state: Any, layers: int) -> list[list[Tensor]]:
    """The parts of each layer; a stack's state is a tuple with an entry for each."""
    return [tf.nest.flatten(part) for part in (state if layers > 1 else [state])]
