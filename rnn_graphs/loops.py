"""Loops over training steps: one update in each `session.run`, or many in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window

Tensor = Any


class Carried(NamedTuple):
    """The tensors that one window hands to the next."""

    state: Tensor  # of the RNN, [batch, state_size], nested as the cell's state is
    influence: Tensor  # of the style, nested; () if it carries none


class Updated(NamedTuple):
    """The results of one update."""

    metrics: dict[str, Tensor]  # scalars by name, the mean loss among them
    carried: Carried  # for the next window
    operation: tf.Operation  # the update itself


class Looped(NamedTuple):
    """The results of several updates."""

    metrics: dict[str, Tensor]  # [iterations] each; zeros past `count`
    carried: Carried  # after the last update


UpdateFunction = Callable[[Window], Updated]


def in_graph(
    update: UpdateFunction,
    metrics: dict[str, tf.DType],
    windows: Window,
    count: Tensor,
    num_steps: int,
) -> Looped:
    """`count` updates inside `tf.while_loop`, without returning to Python between them.

    `windows` holds consecutive windows side by side, [context + iterations * num_steps, batch];
    labels lack the context, lengths are [iterations, batch], buckets [iterations]. The shape is
    static, as XLA requires, and `count` may be less than `iterations`. `windows.key` is the key of
    the first window; its second part increases by one for each window. `metrics` maps the names of
    the update's metrics to types.
    """
    iterations = int(windows.labels.shape[0]) // num_steps
    carried = Carried(windows.state, windows.influence)

    def body(index: Tensor, measured: list[tf.TensorArray], *leaves: Tensor) -> list[Any]:
        nested = tf.nest.pack_sequence_as(carried, leaves)
        updated = update(window_at(windows, index, nested, num_steps))
        with tf.control_dependencies([updated.operation]):
            written = [
                array.write(index, updated.metrics[name])
                for name, array in zip(metrics, measured, strict=True)
            ]
            return [index + 1, written, *tf.nest.flatten(updated.carried)]

    arrays = [
        tf.TensorArray(dtype, iterations, element_shape=[]) for dtype in metrics.values()
    ]  # fmt: skip
    _, measured, *leaves = tf.while_loop(
        lambda index, *_: index < count,
        body,
        [tf.constant(0), arrays, *tf.nest.flatten(carried)],
        parallel_iterations=1,
    )
    return Looped(
        {name: array.stack() for name, array in zip(metrics, measured, strict=True)},
        tf.nest.pack_sequence_as(carried, leaves),
    )


def per_step(update: UpdateFunction, window: Window) -> Looped:
    """One update. The caller runs it once for each window."""
    updated = update(window)
    with tf.control_dependencies([updated.operation]):
        return Looped(
            {name: tf.reshape(value, [1]) for name, value in updated.metrics.items()},
            tf.nest.map_structure(tf.identity, updated.carried),
        )


def only_window(windows: Window) -> Window:
    """The window of a loop that has a single one."""
    lengths, bucket = windows.lengths, windows.bucket
    return windows._replace(
        lengths=None if lengths is None else lengths[0],
        bucket=None if bucket is None else bucket[0],
    )


def window_at(windows: Window, index: Tensor, carried: Carried, num_steps: int) -> Window:
    """Window number `index` of windows that are side by side."""
    context = int(windows.inputs.shape[0]) - int(windows.labels.shape[0])
    start = index * num_steps
    weights, lengths, bucket = windows.weights, windows.lengths, windows.bucket
    return Window(
        _time_slice(windows.inputs, start, context + num_steps),
        _time_slice(windows.labels, start, num_steps),
        carried.state,
        windows.key + tf.stack([0, index]),
        None if weights is None else _time_slice(weights, start, num_steps),
        None if lengths is None else lengths[index],
        carried.influence,
        None if bucket is None else bucket[index],
    )


def _time_slice(sequence: Tensor, start: Tensor, length: int) -> Tensor:
    """sequence[start:start + length] with a static length. [time, …] → [length, …]."""
    rest = [int(size) for size in sequence.shape[1:]]
    return tf.slice(sequence, tf.stack([start, *[0] * len(rest)]), [length, *rest])
