"""How far errors flow back: each style is one function from a window to its gradient.

TF style (Williams & Peng 1990: epochwise BPTT(n; n)): the graph is `num_steps` wide,
the state that enters it is a constant, and errors flow to the graph's edge. The
error of the last step goes back num_steps cell applications, that of the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_graphs.config import TruncationConfig
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from rnn_graphs.unrolls import UnrollFunction

Tensor = Any


class Window(NamedTuple):
    """What one update reads."""

    inputs: Tensor  # [time, batch] ids
    labels: Tensor  # [time, batch] ids
    state: Tensor  # [batch, state_size], nested as the cell's state is


class Step(NamedTuple):
    """What one training step gives."""

    losses: Tensor  # [time, batch], nats
    loss: Tensor  # scalar, their mean
    final_state: Tensor  # to carry to the next window
    gradients: list[Tensor]  # of `loss`, one for each of the model's variables


def tf_style(model: Model, unroll: UnrollFunction, window: Window) -> Step:
    """Plain gradient of a graph as wide as the window."""
    unrolled = unroll(model.cell, model.encode(window.inputs), window.state)
    losses = model.losses(unrolled.outputs, window.labels)
    loss = tf.reduce_mean(losses)
    return Step(losses, loss, unrolled.final_state, tf.gradients(loss, model.variables))


def make_step(
    model: Model, unroll: UnrollFunction, config: TruncationConfig
) -> Callable[[Window], Step]:
    """The training step of the config's style, used unchanged by every loop."""
    return lambda window: STYLES[config.kind](model, unroll, window)


STYLES = {"tf_style": tf_style}
