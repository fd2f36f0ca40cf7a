"""A graph that measures gradients: the error signal by lag, and every style's gradient.

Weights come from a training graph's snapshot; a window and the state before it are fed. Everything
is float64, so that differences come from the styles and not from rounding, and an error of 1e-30
can still be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rnn_graphs.autodiff import gradients
from rnn_graphs.config import GraphConfig, ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import Snapshot, make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window, make_step
from rnn_graphs.unrolls import unstack
from rnn_graphs.window_start import from_first_state

Tensor = Any
DTYPE = tf.float64


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
        state = tf.nest.map_structure(
            lambda part: tf.placeholder(part.dtype, part.shape), first_state
        )
        window = _fed_window(graph_config, shape, state)
        if is_weighted:
            window = window._replace(weights=tf.placeholder(DTYPE, window.labels.shape, "weights"))
        unroll = model.unrolls[graph_config.unroll]
        full, *steps = (
            from_first_state(model, make_step(model, unroll, truncation))(window)
            for truncation in (TruncationConfig(kind="full"), *truncations)
        )
        signal = error_signal(model, window)
        snapshot = make_snapshot(model.all_variables)
        vectors = [_vector(step.gradients) for step in steps]
        whole = _vector(full.gradients)
        next_state = first_state if shape.starts_anew else full.final_state
    graph.finalize()
    return GradientGraph(graph, window, first_state, signal, whole, vectors, next_state, snapshot)


def _fed_window(graph_config: GraphConfig, shape: TaskShape, state: Any) -> Window:
    """Placeholders for the inputs, the labels and the key of one window from this state."""
    ids = [graph_config.num_steps, graph_config.batch_size]
    return Window(
        tf.placeholder(shape.input_dtype, [*ids, *shape.input_tail], "inputs"),
        tf.placeholder(shape.label_dtype, ids, "labels"),
        state,
        tf.placeholder(tf.int32, [2], "key"),
    )


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
        state, carried = tf.nest.map_structure(
            lambda part: tf.placeholder(part.dtype, part.shape), first
        )
        window = _fed_window(graph_config, shape, state)._replace(influence=carried)
        unroll = model.unrolls[graph_config.unroll]
        steps = [
            make_step(model, unroll, one)(window._replace(influence=influence))
            for one, influence in zip(truncations, carried, strict=True)
        ]
        recurrent = len(model.recurrent_variables)
        estimates = [_vector(step.gradients[:recurrent]) for step in steps]
        after = (steps[0].final_state, [step.influence for step in steps])
        snapshot = make_snapshot(model.all_variables)
    graph.finalize()
    return CarriedGraph(graph, window, first, after, estimates, snapshot)


def error_signal(model: Model, window: Window) -> Tensor:
    """‖∂L_t/∂h_{t−k}‖ for each row's last loss that counts, mean over the batch. [num_steps].

    The index is the lag k. The mean is over the rows that go back that far; it is nan if none
    does. h is the whole state, with the norm over all its parts. At lag 0 it is the cell's output,
    because a loss depends on the state only through it. The cells are always unrolled one by one,
    because the states inside a loop cannot be differentiated by.
    """
    outputs, states = _steps(model, window)
    losses = model.head.losses(model.head.logits(tf.stack(outputs)), window.labels)
    last = _last_that_counts(window)
    # One loss of each row, differentiated by the states of that row; before step s it is h_{s−1}.
    ends = tf.one_hot(last, len(outputs), axis=0, dtype=losses.dtype)
    errors = gradients([losses], [*outputs, *tf.nest.flatten(states[1:])], [ends])
    at_output = tf.stack([tf.norm(error, axis=1) for error in errors[: len(outputs)]])
    by_state = tf.nest.pack_sequence_as(states[1:], errors[len(outputs) :])
    norms = [tf.norm(tf.concat(parts, 1), axis=1) for parts in by_state]
    at_state = tf.stack([*norms, tf.zeros_like(at_output[0])])  # no loss depends on the last state
    step = last - tf.range(len(outputs))[:, None]  # t − k, [lags, batch]
    at_lag_0 = tf.reduce_sum(ends * at_output, 0)
    by_lag = tf.concat([at_lag_0[None], _rows(at_state, step)[1:]], 0)
    there = tf.cast(step >= 0, by_lag.dtype)
    return tf.reduce_sum(there * by_lag, 1) / tf.reduce_sum(there, 1)


def error_signal_of_parts(model: Model, window: Window) -> Tensor:
    """‖∂L_T/∂(part of h)_{T−k}‖ of the last loss, by part of the state and lag, mean over rows.

    [parts, time − 1], at the lags k = 1, 2, …; the parts of an LSTM are c and h.
    """
    outputs, states = _steps(model, window)
    losses = model.head.losses(model.head.logits(outputs[-1][None]), window.labels[-1:])
    parts = []
    for part in zip(*states[:0:-1], strict=True):  # before step T is h_{T−1}, which is at lag 1
        errors = gradients([losses], [*part], [tf.ones_like(losses)])
        parts.append(tf.stack([tf.reduce_mean(tf.norm(error, axis=1)) for error in errors]))
    return tf.stack(parts)


def _steps(model: Model, window: Window) -> tuple[list[Tensor], list[list[Tensor]]]:
    """The output of each step, and the parts of the state before it, [batch, size] each.

    Those parts are copies, so that the error at each comes from that step only. One part may depend
    on another, as an LSTM's h does on its c.
    """
    outputs, states, state = [], [], window.state
    for x in unstack(model.encode(window.inputs, window.key)):
        state = tf.nest.map_structure(tf.identity, state)
        states.append(tf.nest.flatten(state))
        output, state = model.cell(x, state)
        outputs.append(output)
    return outputs, states


def _last_that_counts(window: Window) -> Tensor:
    """The step of each row's last loss with a weight above 0, [batch]; −1 if there is none."""
    time, batch = (int(size) for size in window.labels.shape)
    if window.weights is None:
        return tf.fill([batch], time - 1)
    return tf.reduce_max(tf.where_v2(window.weights > 0, tf.range(time)[:, None], -1), 0)


def _rows(values: Tensor, index: Tensor) -> Tensor:
    """values[index[i, j], j], both [time, batch]; a negative index gives the first row."""
    columns = tf.gather(tf.transpose(values), tf.transpose(tf.maximum(index, 0)), batch_dims=1)
    return tf.transpose(columns)


def _vector(parts: Sequence[Tensor]) -> Tensor:
    """The gradient of all weights as one vector."""
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)
