"""Loops over training steps: one `session.run` an update, or many of them in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation import Step, Window

Tensor = Any
StepFunction = Callable[[Window], Step]
UpdateFunction = Callable[[Step], tf.Operation]


class Looped(NamedTuple):
    """What a run of several updates gives."""

    losses: Tensor  # [iterations], the mean loss of each update; zeros past `count`
    final_state: Tensor  # after the last update


def in_graph(
    step: StepFunction,
    update: UpdateFunction,
    windows: Window,
    count: Tensor,
    num_steps: int,
) -> Looped:
    """`count` updates inside `tf.while_loop`: no return to Python between them.

    `windows` holds consecutive windows side by side, [context + iterations * num_steps, batch]
    (labels lack the context); their shape is static, as XLA needs, and `count` may be
    less than the windows there is room for. `windows.key` is that of the first window,
    and its second part counts on.
    """
    iterations = int(windows.labels.shape[0]) // num_steps
    context = int(windows.inputs.shape[0]) - int(windows.labels.shape[0])
    leaves = tf.nest.flatten(windows.state)

    def body(index: Tensor, losses: tf.TensorArray, *state: Tensor) -> list[Any]:
        start = index * num_steps
        window = Window(
            _time_slice(windows.inputs, start, context + num_steps),
            _time_slice(windows.labels, start, num_steps),
            tf.nest.pack_sequence_as(windows.state, state),
            windows.key + tf.stack([0, index]),
        )
        result = step(window)
        with tf.control_dependencies([update(result)]):
            losses = losses.write(index, result.loss)
            return [index + 1, losses, *tf.nest.flatten(result.final_state)]

    losses = tf.TensorArray(leaves[0].dtype, iterations, element_shape=[])
    first = [tf.constant(0), losses, *leaves]
    _, losses, *state = tf.while_loop(
        lambda index, *_: index < count, body, first, parallel_iterations=1
    )
    return Looped(losses.stack(), tf.nest.pack_sequence_as(windows.state, state))


def per_step(step: StepFunction, update: UpdateFunction, window: Window) -> Looped:
    """One update; the caller runs it once for each window."""
    result = step(window)
    with tf.control_dependencies([update(result)]):
        return Looped(
            tf.reshape(result.loss, [1]), tf.nest.map_structure(tf.identity, result.final_state)
        )


def _time_slice(sequence: Tensor, start: Tensor, length: int) -> Tensor:
    """sequence[start:start + length] with a static length. [time, batch] → [length, batch]."""
    return tf.slice(sequence, tf.stack([start, 0]), [length, int(sequence.shape[1])])
