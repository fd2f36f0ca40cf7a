"""Vector-Jacobian products of TensorFlow, dense and without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any


def gradients(ys: Sequence[Tensor], xs: Sequence[Tensor], errors: Sequence[Tensor]) -> list[Tensor]:
    """Dense vector-Jacobian products; zeros without a connection."""
    zero = tf.UnconnectedGradients.ZERO
    found = tf.gradients(ys, xs, errors, unconnected_gradients=zero)
    # Gradients of an embedding are IndexedSlices, which optimizers treat differently.
    return [tf.convert_to_tensor(gradient) for gradient in found]


def as_vector(parts: Sequence[Tensor]) -> Tensor:
    """The gradients of several variables as one vector."""
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)
