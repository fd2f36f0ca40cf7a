"""Random numbers of an update, which are a function of its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any


def uniform(shape: Sequence[int], key: Tensor) -> Tensor:
    """Uniform in [0, 1), float32. The same key, [2] int32, gives the same numbers.

    The generator is Philox (Salmon et al. 2011), which TensorFlow chooses itself without XLA. Under
    XLA its own choice takes 100 times as long. XLA lays the numbers out in another order.
    """
    return tf.random.stateless_uniform(shape, key, alg="philox")


def normal(shape: Tensor, key: Tensor, deviation: float) -> Tensor:
    """Gaussian with the mean 0 and this standard deviation, float64, by the same generator."""
    return tf.random.stateless_normal(shape, key, 0.0, deviation, tf.float64, alg="philox")
