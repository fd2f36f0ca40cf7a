"""The errors that cross the blocks of the TF style, which true truncation adds to it.

Cut the window into blocks of `depth` steps, as the TF style does, and each block into r = depth /
stride stretches of `stride` steps. In Williams & Peng's BPTT(depth; stride), the errors of a
stretch reach the r stretches that end with it. In the TF style, the errors of stretch m of a block
(m = 0 … r−2) do not reach the last r−1−m stretches of the previous block. This file carries
exactly those errors:

    block before boundary        | block after it             (r = 4)
    [ . ] [ 0 ] [ 0+1 ] [ 0+1+2 ] | [ 0 ] [ 1 ] [ 2 ] [ 3 ]    stretches
           <-----  down  ------      <----- up -----

1. up: the errors of each stretch go back to the start of the block separately, in one "slot" for
   each stretch;
2. at the boundary the slots become running sums: slot m holds the errors of stretches 0..m;
3. down: each stretch of the previous block takes the slot with its own sum, and passes the smaller
   sums on.

Each slot needs one product with the state's Jacobian per step, about depth²/stride per block. This
is the extra cost of exact true truncation over full backpropagation. The slots at a stretch share
its linearisation, so they pass through it as one batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from rnn_graphs.autodiff import gradients
from rnn_graphs.tf1 import tf

Tensor = Any
Flat = list[Tensor]  # a state, or a cotangent of one, as tf.nest.flatten gives it


class Taken(NamedTuple):
    """The share of a stretch in a cotangent of its end state; None without a connection."""

    weights: list[Tensor | None]  # for each of the variables
    inputs: list[Tensor | None]  # for each leaf of each step's inputs


class Stretches:
    """The window as a list of stretches, with the inputs, errors and state of each."""

    def __init__(
        self,
        cell: Any,
        variables: Sequence[Any],
        inputs: Sequence[Any],
        output_errors: Sequence[Tensor],
        states: Sequence[Flat],
        stride: int,
    ) -> None:
        """Split the window into stretches. `variables` are those that gradients are for.

        The other sequences have one entry for each time step. inputs: the inputs of the cell, which
        may be nested; output_errors: ∂loss/∂output, [batch, output_size]; states: before each step.
        """
        self.count = len(inputs) // stride
        self._inputs = [list(inputs[i * stride : (i + 1) * stride]) for i in range(self.count)]
        self._errors = [
            list(output_errors[i * stride : (i + 1) * stride]) for i in range(self.count)
        ]
        self._states = [states[i * stride] for i in range(self.count)]
        self._cell = cell
        self._variables = list(variables)
        # Functions, so that each is traced once and not for every stretch. Grappler and XLA
        # inline them, and merge their forward pass with the one that exists already.
        step, errors = _specs(self._inputs[0]), _specs(self._errors[0])
        start = _specs(self._states[0])
        slots = [tf.TensorSpec([None, *part.shape], part.dtype) for part in start]
        self._through_function = _traced(self._through, [step, start, slots])
        self._up_function = _traced(self._up, [step, errors, start, slots])
        self._take_function = _traced(self._take, [step, start, start])
        self._down_function = _traced(self._down, [step, start, slots])

    def own(self, index: int) -> Flat:
        """The stretch's own errors at its start, as a single slot."""
        outputs, _ = self._apply(self._inputs[index], self._states[index])
        return _one_slot(gradients(outputs, self._states[index], self._errors[index]))

    def up(self, index: int, slots: Flat) -> Flat:
        """Slots at the stretch's end taken to its start, and one more with its own errors."""
        result: Flat = self._up_function(
            self._inputs[index], self._errors[index], self._states[index], slots
        )
        return result

    def down(self, index: int, sums: Flat) -> tuple[Taken, Flat]:
        """The stretch's share in the first slot, and the other slots taken to its start."""
        taken, passed = self._down_function(self._inputs[index], self._states[index], sums)
        return taken, passed

    def take(self, index: int, errors: Flat) -> Taken:
        """The stretch's share in a cotangent of its end state."""
        taken: Taken = self._take_function(self._inputs[index], self._states[index], errors)
        return taken

    def weight_gradients(self, taken: dict[int, Taken]) -> list[Tensor]:
        """The shares of all stretches as gradients of the variables, through the inputs too."""
        inputs = [x for index in taken for x in tf.nest.flatten(self._inputs[index])]
        errors = [error for one in taken.values() for error in one.inputs]
        reached = [pair for pair in zip(inputs, errors, strict=True) if pair[1] is not None]
        before = gradients([x for x, _ in reached], self._variables, [e for _, e in reached])
        return [
            tf.add_n([first, *[part for part in parts if part is not None]])
            for first, *parts in zip(before, *[one.weights for one in taken.values()], strict=True)
        ]

    def _up(self, inputs: Sequence[Tensor], errors: Flat, start: Flat, slots: Flat) -> Flat:
        outputs, _ = self._apply(inputs, start)
        own = _one_slot(gradients(outputs, start, errors))
        passed = self._through_function(inputs, start, slots)
        return [tf.concat(parts, 0) for parts in zip(passed, own, strict=True)]

    def _down(self, inputs: Sequence[Tensor], start: Flat, sums: Flat) -> tuple[Taken, Flat]:
        taken = self._take_function(inputs, start, [part[0] for part in sums])
        return taken, self._through_function(inputs, start, [part[1:] for part in sums])

    def _take(self, inputs: Sequence[Tensor], start: Flat, errors: Flat) -> Taken:
        _, end = self._apply(inputs, start)
        leaves, count = tf.nest.flatten(inputs), len(self._variables)
        found = tf.gradients(end, [*self._variables, *leaves], errors)
        return Taken(found[:count], found[count:])

    def _through(self, inputs: Sequence[Tensor], start: Flat, slots: Flat) -> Flat:
        """Cotangents of a stretch's end state, [slots, batch, …], taken to its start."""
        _, end = self._apply(inputs, start)
        taken: Flat = tf.vectorized_map(
            lambda slot: gradients(end, start, slot), slots, fallback_to_while_loop=False
        )
        return taken

    def _apply(self, inputs: Sequence[Tensor], state: Flat) -> tuple[list[Tensor], Flat]:
        """The cell over a list of inputs: its outputs, and its end state."""
        nested, outputs = tf.nest.pack_sequence_as(self._cell.state_size, state), []
        for x in inputs:
            output, nested = self._cell(x, nested)
            outputs.append(output)
        return outputs, tf.nest.flatten(nested)


def crossing_errors(stretches: Stretches, depth_in_stretches: int) -> dict[int, Taken]:
    """The share of each stretch in the errors of the next block."""
    r, count = depth_in_stretches, stretches.count
    taken: dict[int, Taken] = {}
    for boundary in range(r, count, r):
        top = min(boundary + r - 1, count) - 1  # the last stretch of a full block does not cross
        slots = stretches.own(top)
        for index in range(top - 1, boundary - 1, -1):
            slots = stretches.up(index, slots)
        sums = [_running_sums(part, r - 1) for part in slots]
        last = boundary - r + 1
        for index in range(boundary - 1, last, -1):
            taken[index], sums = stretches.down(index, sums)
        taken[last] = stretches.take(last, [part[0] for part in sums])
    return taken


def _running_sums(slots: Tensor, count: int) -> Tensor:
    """[slots, …], newest first → [count, …], each the sum of itself and all older slots.

    The last block of a window may be short; the sum of all its slots then fills the missing ones.
    """
    sums = list(itertools.accumulate(tf.unstack(slots)[::-1]))[::-1]
    return tf.stack([sums[0]] * (count - len(sums)) + sums)


def _one_slot(parts: Flat) -> Flat:
    return [part[None] for part in parts]


def _specs(tensors: Any) -> Any:
    return tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), tensors)


def _traced(function: Any, signature: list[Any]) -> Any:
    traced = tf.function(function, input_signature=signature, autograph=False)
    return traced.get_concrete_function()
