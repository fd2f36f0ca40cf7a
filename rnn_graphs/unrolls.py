"""Unrolls, which apply a cell along time: one signature, four graphs, the same losses.

    inputs   x_0    x_1    x_2         [time, batch, input_size]
              |      |      |
    state -> cell -> cell -> cell -> final_state
              |      |      |
    outputs  o_0    o_1    o_2         [time, batch, output_size]

`scratch` and `static` put a copy of the cell into the graph for every time step; `dynamic` and
`scan` put one copy into a while loop. With `lengths`, [batch], a row's outputs past its length are
zeros, and its final state is the state at its length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_graphs.hoisting import hoisting
from rnn_graphs.tf1 import tf

Tensor = Any


class Unrolled(NamedTuple):
    """The results of a cell along time. Outputs may be nested; each leaf has the shape below."""

    outputs: Tensor  # [time, batch, output_size]
    final_state: Tensor  # [batch, state_size], nested as the cell's state is


UnrollFunction = Callable[[Any, Tensor, Tensor, Tensor | None], Unrolled]


@hoisting
def scratch(cell: Any, inputs: Tensor, initial_state: Tensor, lengths: Tensor | None) -> Unrolled:
    """The blog's own loop over a list of tensors."""
    state = initial_state
    outputs = []
    for time, x in enumerate(unstack(inputs)):
        output, new_state = cell(x, state)
        if lengths is not None:
            is_inside = (time < lengths)[:, None]
            output = _choose(is_inside, output, tf.nest.map_structure(tf.zeros_like, output))
            new_state = _choose(is_inside, new_state, state)
        state = new_state
        outputs.append(output)
    return Unrolled(stack(outputs), state)


@hoisting
def static(cell: Any, inputs: Tensor, initial_state: Tensor, lengths: Tensor | None) -> Unrolled:
    """`tf.compat.v1.nn.static_rnn`."""
    outputs, state = tf.nn.static_rnn(
        cell, unstack(inputs), initial_state, sequence_length=lengths
    )  # fmt: skip
    return Unrolled(stack(outputs), state)


@hoisting
def dynamic(cell: Any, inputs: Tensor, initial_state: Tensor, lengths: Tensor | None) -> Unrolled:
    """`tf.compat.v1.nn.dynamic_rnn`."""
    outputs, state = tf.nn.dynamic_rnn(
        cell, inputs, lengths, initial_state=initial_state, time_major=True
    )
    return Unrolled(outputs, state)


def scan(cell: Any, inputs: Tensor, initial_state: Tensor, lengths: Tensor | None) -> Unrolled:
    """`tf.scan`, as in r2rt's part II. Its accumulator holds the outputs beside the state."""
    first = tf.nest.flatten(inputs)[0]
    batch = tf.shape(first)[1]

    def zeros(size: Any) -> Tensor:
        return tf.zeros(tf.stack([batch, size]), first.dtype)

    def step(before: Unrolled, at: tuple[Tensor, Tensor]) -> Unrolled:
        time, x = at
        output, state = cell(x, before.final_state)
        if lengths is not None:
            is_inside = (time < lengths)[:, None]
            output = _choose(is_inside, output, tf.nest.map_structure(tf.zeros_like, output))
            state = _choose(is_inside, state, before.final_state)
        return Unrolled(output, state)

    start = Unrolled(tf.nest.map_structure(zeros, cell.output_size), initial_state)
    steps = tf.range(tf.shape(first)[0])
    outputs, states = tf.scan(step, (steps, inputs), start)
    return Unrolled(outputs, tf.nest.map_structure(lambda part: part[-1], states))


def unstack(inputs: Tensor) -> list[Tensor]:
    """[time, batch, …] → a list of [batch, …], nested as the inputs are."""
    leaves = [tf.unstack(leaf) for leaf in tf.nest.flatten(inputs)]
    return [tf.nest.pack_sequence_as(inputs, step) for step in zip(*leaves, strict=True)]


def stack(outputs: list[Tensor]) -> Tensor:
    """A list of [batch, …] → [time, batch, …], nested as the outputs are."""
    return tf.nest.map_structure(lambda *steps: tf.stack(steps), *outputs)


def _choose(condition: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return tf.nest.map_structure(lambda a, b: tf.where_v2(condition, a, b), first, second)


UNROLLS: dict[str, UnrollFunction] = {
    "scratch": scratch,
    "static": static,
    "dynamic": dynamic,
    "scan": scan,
}
LOOPS = (dynamic, scan)  # their graphs are small, however many time steps there are
