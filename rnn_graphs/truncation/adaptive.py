"""adaptive: BPTT(2K − 1; K) with a depth K that is chosen while the graph runs.

The window's losses are cut into groups of K, and a group with the K − 1 steps before it is one row
of a plain graph of 2K − 1 steps, so that groups pass side by side as one batch. One graph holds a
branch for each K, and the branch that was chosen is the only one to run. The choice is carried with
the state. Source: Aicher, Foti & Fox 2019, "Adaptively Truncating Backpropagation Through Time to
Control Gradient Bias".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.linearized import unroll_recorded
from rnn_graphs.truncation.step import Step, StepModel, Window, losses_of, plain_step
from rnn_graphs.unrolls import UnrollFunction

Tensor = Any


def largest_depth(truncation: Any, num_steps: int) -> Tensor:
    """The index of the largest depth, which is the choice until another is made."""
    return tf.constant(len(truncation.depths(num_steps)) - 1)


def adaptive(
    model: StepModel, unroll: UnrollFunction, window: Window, depths: Sequence[int]
) -> Step:
    """The step of the depth whose index the window carries as its influence."""
    inputs = model.encode(window.inputs, window.key)
    num_steps = int(window.labels.shape[0])
    unrolled, states = unroll_recorded(model.cell, unroll, inputs, window)
    before = tf.nest.map_structure(
        lambda first, after: tf.concat([first[None], after], 0), window.state, states
    )
    branches = [
        partial(_gradients, model, unroll, window, inputs, before, depth) for depth in depths
    ]
    found = tf.switch_case(window.influence, branches)
    carried = tf.nest.map_structure(lambda part: part[num_steps], before)
    chosen = tf.cast(tf.gather(tf.constant(depths), window.influence), model.dtype)
    losses = losses_of(model, window, unrolled.outputs)
    return Step(*losses, carried, found, window.influence, chosen)


def _gradients(
    model: StepModel, unroll: UnrollFunction, window: Window, inputs: Tensor, before: Tensor, K: int
) -> list[Tensor]:
    """BPTT(2K − 1; K): each group of K losses, with the K − 1 steps before it."""
    num_steps = int(window.labels.shape[0])
    context = int(window.inputs.shape[0]) - num_steps
    ends = range(K, num_steps + 1, K)
    starts = [context + end - (2 * K - 1) for end in ends]
    state = tf.nest.map_structure(
        lambda part: tf.concat([tf.stop_gradient(part[start]) for start in starts], 0), before
    )
    assert window.weights is None, "only examples have weights, and carry no choice of a depth"
    groups = Window(
        _side_by_side(window.inputs, starts, 2 * K - 1),
        _side_by_side(window.labels, [end - K for end in ends], K),
        state,
        window.key,
    )
    encoded = tf.nest.map_structure(
        lambda part: _side_by_side(part, starts, 2 * K - 1), _again(model, window, inputs)
    )
    unrolled = unroll(model.cell, encoded, state, None)
    return plain_step(model, groups, unrolled.outputs, unrolled.final_state).gradients


def _again(model: StepModel, window: Window, inputs: Tensor) -> Tensor:
    """The encoded inputs, computed where they are differentiated; masks stay as they were drawn."""
    _, *masks = tf.nest.flatten(inputs)
    encoded, *_ = tf.nest.flatten(model.encode(window.inputs, window.key))
    return tf.nest.pack_sequence_as(inputs, [encoded, *masks])


def _side_by_side(part: Tensor, starts: Sequence[int], length: int) -> Tensor:
    """Stretches of [time, batch, …] as one batch, [length, groups · batch, …]."""
    return tf.concat([part[start : start + length] for start in starts], 1)
