"""The activations of all cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any  # TensorFlow ships no types

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "leaky_relu": tf.nn.leaky_relu,
    "elu": tf.nn.elu,
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "sigmoid": tf.sigmoid,
    "crelu": tf.nn.crelu,
}


def activation(name: str | None) -> Callable[[Tensor], Tensor]:
    """The activation of this name; None is tanh, the default of every cell."""
    return ACTIVATIONS[name or "tanh"]
