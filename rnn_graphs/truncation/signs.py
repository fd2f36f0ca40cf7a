"""Random signs, and the scales of a random estimate of a sum of products."""

from __future__ import annotations

from typing import Any

from rnn_graphs.draws import uniform
from rnn_graphs.tf1 import tf

Tensor = Any
SALT = 2_000_003  # sets the signs apart from the masks of dropout, which have the same key
SMALLEST = 1e-7  # Tallec & Ollivier 2018, algorithm 1: keeps a ratio of zeros finite


def random_signs(shape: list[int], key: Tensor, dtype: tf.DType) -> Tensor:
    """−1 or 1, each with probability ½. The same key gives the same signs (`draws.uniform`)."""
    seed = tf.stack([key[0] - SALT, key[1]])
    return 2 * tf.cast(uniform(shape, seed) < 0.5, dtype) - 1


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """√(‖above‖ / ‖below‖) for each row, [batch, 1]: it makes both sides equally long."""
    return tf.sqrt((_norm(above) + SMALLEST) / (_norm(below) + SMALLEST))


def _norm(rows: Tensor) -> Tensor:
    axes = list(range(1, len(rows.shape)))
    squares = tf.reduce_sum(tf.square(rows), axes, keepdims=True)
    return tf.reshape(tf.sqrt(squares), [-1, 1])
