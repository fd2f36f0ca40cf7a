"""Training steps with truncated gradients, as functions of one window.

styles.py lists and defines the styles, and names the function that computes each: one here, or in
influence.py for those that carry an influence, or in adaptive.py. The edge of the graph cuts errors
too. With context, the graph starts depth − stride steps before the first loss, so that the errors
of early losses flow back their full depth.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from rnn_graphs.autodiff import gradients
from rnn_graphs.cells.derivatives import RecurrentLayer
from rnn_graphs.cells.layouts import RecurrentLayout
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.crossing import Stretches, crossing_errors
from rnn_graphs.truncation.gates import GatedCell, draw_gates
from rnn_graphs.truncation.recording import RecordingCell
from rnn_graphs.unrolls import LOOPS, Unrolled, UnrollFunction, unstack

Tensor = Any

PIECE_AT_LEAST = 4  # time steps, rounded up to a divisor of the block's depth


class Window(NamedTuple):
    """The data of one update."""

    inputs: Tensor  # [context + time, batch] ids, or [context + time, batch, num_inputs] features
    labels: Tensor  # [time, batch] ids or values
    state: Tensor  # before the first input; [batch, state_size], nested as the cell's state is
    key: Tensor  # [2] int32: the key of random styles and dropout
    weights: Tensor | None = None  # [time, batch]: the weight of each loss; None: all equal
    lengths: Tensor | None = None  # [batch]: time steps before the padding; None: all
    influence: Any = ()  # nested tensors that the style carried here; (): nothing
    bucket: Tensor | None = None  # scalar int32: which padded length the rows need; None: all steps


class Step(NamedTuple):
    """The results of one training step."""

    logits: Tensor  # [time, batch, num_classes]
    losses: Tensor  # [time, batch], nats
    loss: Tensor  # scalar, their mean with the window's weights
    final_state: Tensor  # to carry: the state before the next window's first input
    gradients: list[Tensor]  # of `loss`, one for each of the model's variables
    influence: Any = ()  # to carry beside the state, nested as the window's
    depth: Any = ()  # scalar, of a style that chooses it while the graph runs; (): another


class StepModel(Protocol):
    """The parts of a model that a training step uses."""

    dtype: tf.DType
    compiled: bool  # whether XLA compiles the graph
    cell: Any
    variables: list[Any]
    recurrent_variables: list[Any]  # the first of `variables`: those that the state depends on
    head: Any  # logits(outputs), losses(logits, labels)

    @property
    def recurrent_layout(self) -> RecurrentLayout:
        """Those variables and the state."""

    @property
    def layers(self) -> list[RecurrentLayer]:
        """From the first to the last."""

    def encode(self, inputs: Tensor, key: Tensor) -> Tensor:
        """[time, batch, …] → the inputs of the cell along time."""

    def embedded(self, inputs: Tensor) -> Tensor | None:
        """What multiplies the embedding: one-hot [time, batch, num_inputs]; None without one."""


class Truncation(Protocol):
    """A config that chooses a style."""

    def step(self, model: StepModel, unroll: UnrollFunction, window: Window) -> Step:
        """One training step of the style."""


StepFunction = Callable[[Window], Step]


def make_step(model: StepModel, unroll: UnrollFunction, truncation: Truncation) -> StepFunction:
    """The training step of the config's style, used unchanged by every loop."""
    return lambda window: truncation.step(model, unroll, window)


def full(model: StepModel, unroll: UnrollFunction, window: Window) -> Step:
    """Plain gradients: errors flow to the edge of the window."""
    inputs = model.encode(window.inputs, window.key)
    unrolled = unroll(model.cell, inputs, window.state, window.lengths)
    return plain_step(model, window, unrolled.outputs, unrolled.final_state)


def in_blocks(model: StepModel, unroll: UnrollFunction, window: Window, depth: int) -> Step:
    """tf_style: plain gradients of blocks of `depth` time steps that are cut from each other."""
    inputs = model.encode(window.inputs, window.key)
    unrolled = _unroll_blocks(model.cell, unroll, inputs, window, depth)
    return plain_step(model, window, unrolled.outputs, unrolled.final_state)


def windowed(
    model: StepModel, unroll: UnrollFunction, window: Window, depth: int, stride: int
) -> Step:
    """true_bptt and williams_peng: the TF style, plus the errors that cross its blocks."""
    inputs = model.encode(window.inputs, window.key)
    recorded = _unroll_blocks(RecordingCell(model.cell), unroll, inputs, window, depth)
    outputs = recorded.outputs.output
    length = int(window.inputs.shape[0])
    ends = [tf.unstack(part, length) for part in tf.nest.flatten(recorded.outputs.state)]
    befores = [tf.nest.flatten(window.state), *[list(parts) for parts in zip(*ends, strict=True)]]
    next_start = int(window.labels.shape[0])  # steps from this window to the next
    carried = tf.nest.pack_sequence_as(window.state, befores[next_start])
    if window.lengths is not None:  # recorded states are zeros past the end of a row
        is_over = (window.lengths < next_start)[:, None]
        carried = tf.nest.map_structure(
            lambda ended, reached: tf.where_v2(is_over, ended, reached),
            recorded.final_state, carried,
        )  # fmt: skip
    step = plain_step(model, window, outputs, carried)
    if depth in (stride, length) or depth > length:
        return step  # no error crosses: one stretch in each block, or a single block
    errors = tf.unstack(gradients([step.loss], [outputs], [tf.ones_like(step.loss)])[0], length)
    stretches = Stretches(
        model.cell, model.variables, unstack(inputs), errors, befores[:-1], stride
    )
    taken = crossing_errors(stretches, depth // stride)
    more = stretches.weight_gradients(taken)
    return step._replace(gradients=[a + b for a, b in zip(step.gradients, more, strict=True)])


def artbp(model: StepModel, unroll: UnrollFunction, window: Window, cut_probability: float) -> Step:
    """Errors pass each boundary between cell applications through a random gate."""
    shape = [int(size) for size in window.inputs.shape[:2]]
    gates = draw_gates(cut_probability, shape, window.key, model.dtype)
    return gated(model, unroll, window, gates)


def gated(model: StepModel, unroll: UnrollFunction, window: Window, gates: Tensor) -> Step:
    """Plain gradients; the error into the state before step s is scaled by gates[s], [batch]."""
    inputs = (model.encode(window.inputs, window.key), gates[..., None])
    unrolled = unroll(GatedCell(model.cell), inputs, window.state, window.lengths)
    return plain_step(model, window, unrolled.outputs, unrolled.final_state)


def _unroll_blocks(
    cell: Any, unroll: UnrollFunction, inputs: Tensor, window: Window, depth: int
) -> Unrolled:
    """Unroll block by block; gradients treat the state that enters a block as constant."""
    outputs, state, lengths = [], window.state, window.lengths
    steps, piece = depth, functools.partial(unroll, cell)
    if unroll not in LOOPS:  # which are small, and would be slower in a function
        steps, piece = _piece_steps(depth), tf.function(piece, autograph=False)
    for start in range(0, int(window.inputs.shape[0]), steps):
        if start and start % depth == 0:
            state = tf.nest.map_structure(tf.stop_gradient, state)
        left = None if lengths is None else tf.clip_by_value(lengths - start, 0, steps)
        unrolled = piece(_piece(inputs, start, steps), state, left)
        outputs.append(unrolled.outputs)
        state = unrolled.final_state
    joined = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *outputs)
    return Unrolled(joined, state)


def _piece_steps(depth: int) -> int:
    """The time steps of a function that is traced once and called for every piece of a block.

    Tracing more steps and their gradient costs more than the calls that it would save.
    """
    fewest = min(PIECE_AT_LEAST, depth)
    return next(steps for steps in range(fewest, depth + 1) if depth % steps == 0)


def _piece(inputs: Tensor, start: int, steps: int) -> Tensor:
    return tf.nest.map_structure(lambda part: part[start : start + steps], inputs)


def losses_of(model: StepModel, window: Window, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, losses and their mean, as in `Step`, of the outputs after the context."""
    context = int(window.inputs.shape[0]) - int(window.labels.shape[0])
    logits = model.head.logits(outputs[context:])
    losses = model.head.losses(logits, window.labels)
    return logits, losses, weighted_mean(losses, window.weights)


def plain_step(model: StepModel, window: Window, outputs: Tensor, final_state: Tensor) -> Step:
    """The losses of outputs after the context, with TensorFlow's own gradient of their mean."""
    step, _ = step_and_errors(model, window, outputs, final_state, [])
    return step


def step_and_errors(
    model: StepModel, window: Window, outputs: Tensor, final_state: Tensor, at: list[Tensor]
) -> tuple[Step, list[Tensor]]:
    """`plain_step`, and ∂loss/∂ each tensor of `at`."""
    logits, losses, loss = losses_of(model, window, outputs)
    found = gradients([loss], [*model.variables, *at], [tf.ones_like(loss)])
    count = len(model.variables)
    return Step(logits, losses, loss, final_state, found[:count]), found[count:]


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Σ w v / Σ w, or the plain mean without weights."""
    if weights is None:
        return tf.reduce_mean(values)
    weights = tf.cast(weights, values.dtype)
    return tf.reduce_sum(weights * values) / tf.reduce_sum(weights)
