"""Initial weights from a seed that is fed, so that one built graph serves every seed."""

from __future__ import annotations

import math
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any
BIASES = ("b", "bias")


def initialize(variables: list[Any], seed: Tensor) -> Any:
    """An operation that sets every variable from `seed` (scalar int).

    Weights are Glorot uniform (Glorot & Bengio 2010, eq. 16), TensorFlow's default
    and so the blog's; biases keep the initial value of their cell. Weight number i
    depends on the seed, on i and on its shape alone, so that models of the same
    shapes start the same, whichever cell and unroll built them.
    """
    operations = []
    for index, variable in enumerate(variables):
        if variable.op.name.rsplit("/", 1)[-1] in BIASES:
            operations.append(variable.initializer)
        else:
            operations.append(variable.assign(glorot_uniform(variable, tf.stack([seed, index]))))
    return tf.group(operations)


def glorot_uniform(variable: Any, seed: Tensor) -> Tensor:
    """Uniform in ±√(6 / (fan_in + fan_out)), in the variable's shape."""
    fan_in, fan_out = int(variable.shape[0]), int(variable.shape[-1])
    limit = math.sqrt(6 / (fan_in + fan_out))
    # Drawn in float64, so that a float32 and a float64 graph start from the same weights.
    draws = tf.random.stateless_uniform(variable.shape, seed, -limit, limit, tf.float64)
    return tf.cast(draws, variable.dtype.base_dtype)
