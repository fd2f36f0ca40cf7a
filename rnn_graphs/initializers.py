"""Initial weights from a fed seed, so that one built graph serves every seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rnn_graphs.config import ModelConfig
from rnn_graphs.first_state import SCOPE as FIRST_STATE
from rnn_graphs.tf1 import tf

Tensor = Any
CONSTANT = ("b", "bias", "gain", "shift")  # start with the values that their layers give them
EMBEDDING = "embedding"


def initialize(
    variables: list[Any], seed: Tensor, config: ModelConfig, input_rows: Mapping[str, int]
) -> Any:
    """An operation that sets every variable from `seed` (scalar int).

    `config.initializer` draws the weights. Biases, scalars, a learned first state and the variables
    that the cell's entry in cells/traits.py lists keep the value that they are created with. Weight
    number i depends only on the seed, on i and on its shape, so models of the same shapes start
    with the same weights, whichever cell and unroll built them.

    input_rows: by the name of a matrix that multiplies [x, h], the number of its rows for x. The
    other rows are the recurrent weights, which `config.recurrent_initializer` draws on their own.
    """
    kept, operations = (*CONSTANT, *config.traits.kept), []
    for index, variable in enumerate(variables):
        *scopes, name = variable.op.name.split("/")
        if name in kept or FIRST_STATE in scopes or not variable.shape.rank:
            operations.append(variable.initializer)
            continue
        shape, key = variable.shape.as_list(), tf.stack([seed, index])
        # In float64, so that a float32 and a float64 graph start from the same weights.
        if name == EMBEDDING and config.embedding_initializer:
            drawn = INITIALIZERS[config.embedding_initializer](shape, key, config.embedding_scale)
        elif config.recurrent_initializer and variable.op.name in input_rows:
            drawn = _in_two_parts(shape, key, config, input_rows[variable.op.name])
        else:
            drawn = INITIALIZERS[config.initializer](shape, key, config.initializer_scale)
        operations.append(variable.assign(tf.cast(drawn, variable.dtype.base_dtype)))
    return tf.group(operations)


def _in_two_parts(shape: list[int], key: Tensor, config: ModelConfig, rows: int) -> Tensor:
    """The rows for x and those for h, each drawn as a matrix of its own, as Keras does."""
    assert config.recurrent_initializer is not None
    columns, apart = shape[1:], tf.stack([key[0], -1 - key[1]])
    return tf.concat(
        [
            INITIALIZERS[config.initializer]([rows, *columns], key, config.initializer_scale),
            INITIALIZERS[config.recurrent_initializer](
                [shape[0] - rows, *columns], apart, config.recurrent_scale
            ),
        ],
        0,
    )


def glorot_uniform(shape: list[int], seed: Tensor, _scale: float | None) -> Tensor:
    """Uniform in ±√(6 / (fan_in + fan_out)): Glorot & Bengio 2010, eq. 16.

    This is TensorFlow's default since version 1.0. As there, an array of several matrices,
    [count, rows, columns], counts as one with fans of count · rows and count · columns.
    """
    count = math.prod(shape[:-2])
    limit = math.sqrt(6 / (count * (shape[-2] + shape[-1]) if len(shape) > 1 else 2 * shape[0]))
    return tf.random.stateless_uniform(shape, seed, -limit, limit, tf.float64)


def uniform_unit_scaling(shape: list[int], seed: Tensor, _scale: float | None) -> Tensor:
    """Uniform in ±√(3 / inputs), inputs: the product of all dimensions but the last.

    This was TensorFlow's default before version 1.0, so r2rt's posts of 2016 start from it
    (Sussillo & Abbott 2014, "Random walk initialization", section 2).
    """
    limit = math.sqrt(3 / math.prod(shape[:-1]))
    return tf.random.stateless_uniform(shape, seed, -limit, limit, tf.float64)


def uniform(shape: list[int], seed: Tensor, scale: float) -> Tensor:
    """Uniform in ±scale."""
    return tf.random.stateless_uniform(shape, seed, -scale, scale, tf.float64)


def normal(shape: list[int], seed: Tensor, scale: float) -> Tensor:
    """Normal with this standard deviation."""
    return tf.random.stateless_normal(shape, seed, 0.0, scale, tf.float64)


def orthogonal(shape: list[int], seed: Tensor, _scale: float | None) -> Tensor:
    """Matrices with orthonormal rows or columns: Saxe, McClelland & Ganguli 2014, section 3.

    shape: [..., rows, columns]. A vector, such as the weights of a peephole, is drawn by
    glorot_uniform.
    """
    if len(shape) < 2:
        return glorot_uniform(shape, seed, None)
    *count, rows, columns = shape
    tall = [*count, max(rows, columns), min(rows, columns)]
    q, r = tf.linalg.qr(tf.random.stateless_normal(tall, seed, dtype=tf.float64))
    q *= tf.sign(tf.linalg.diag_part(r))[..., None, :]  # without this the draw is not uniform
    return q if rows >= columns else tf.linalg.matrix_transpose(q)


INITIALIZERS: dict[str, Callable[[list[int], Tensor, Any], Tensor]] = {
    "glorot_uniform": glorot_uniform,
    "uniform_unit_scaling": uniform_unit_scaling,
    "orthogonal": orthogonal,
    "uniform": uniform,
    "normal": normal,
}
