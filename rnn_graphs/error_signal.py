"""The error signal: how large the error of a loss still is some steps earlier, by lag."""

from __future__ import annotations

from typing import Any

from rnn_graphs.autodiff import gradients
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window
from rnn_graphs.unrolls import unstack

Tensor = Any


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
