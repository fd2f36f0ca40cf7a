"""[x, h] W + b, the product inside of a cell, in two forms: plain, and for XLA.

XLA's CPU backend multiplies matrices in code of its own where they are small: at most 128 rows,
128 deep and 32 columns. All others it hands over to Eigen, at 2 µs and more a call, which is
longer than all the rest of a narrow cell's step. The 200 rows of r2rt's batches are too many;
as a batch of two products of 100 rows they are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any

# (x [batch, depth], h [batch, state_size], W [depth + state_size, units], b [units])
# → [batch, units]
Affine = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

MOST_ROWS, MOST_DEPTH, MOST_COLUMNS = 128, 128, 32
FEWEST_ROWS = 32  # in each of several blocks; below it the products are too many to pay


def affine(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """[x, h] W + b."""
    return tf.matmul(tf.concat([x, h], 1), W) + b


def affine_for_xla(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """[x, h] W + b, in blocks of rows where that makes its products small."""
    depth, units = (int(size) for size in W.shape)
    with_bias = depth + 1
    small = with_bias <= MOST_DEPTH and max(units, int(h.shape[1])) <= MOST_COLUMNS
    if not small or _count_blocks(int(h.shape[0])) is None:
        return affine(x, h, W, b)
    return _affine_in_blocks(x, h, tf.convert_to_tensor(W), tf.convert_to_tensor(b))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _affine_in_blocks(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> tuple[Tensor, Any]:
    """The bias is one more row of W, so that the product for W's gradient gives b's with it."""
    depth = int(x.shape[1])
    inputs = tf.concat([x, h, tf.ones([int(x.shape[0]), 1], x.dtype)], 1)

    def gradients(errors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        of_weights = tf.matmul(inputs, errors, transpose_a=True)
        # Apart, so that XLA drops the one for x where x is one-hot and nobody asks for it.
        of_x, of_h = (_back(errors, part) for part in (W[:depth], W[depth:]))
        return of_x, of_h, of_weights[:-1], of_weights[-1]

    blocks = _blocks(inputs)
    matrix = tf.concat([W, b[None]], 0)
    outputs = tf.matmul(blocks, tf.tile(matrix[None], [int(blocks.shape[0]), 1, 1]))
    return tf.reshape(outputs, [int(x.shape[0]), int(W.shape[1])]), gradients


def _back(errors: Tensor, W: Tensor) -> Tensor:
    """errors Wᵀ, [batch, units] → [batch, rows of W]."""
    blocks = _blocks(errors)
    # Zeros of the errors give each block its own copy of Wᵀ. Under tf.vectorized_map they give
    # each slot its own too; with one for all, the slots would be put among the rows of a block.
    copies = tf.transpose(W) + 0 * blocks[:, :1, :1]
    return tf.reshape(tf.matmul(blocks, copies), [int(errors.shape[0]), int(W.shape[0])])


def _blocks(rows: Tensor) -> Tensor:
    """[batch, depth] → [blocks, batch / blocks, depth]."""
    batch, depth = (int(size) for size in rows.shape)
    count = _count_blocks(batch)
    assert count is not None
    return tf.reshape(rows, [count, batch // count, depth])


def _count_blocks(rows: int) -> int | None:
    """The least number of equal blocks that are small; None where they would be too small."""
    for count in range(1, max(1, rows // FEWEST_ROWS) + 1):
        if rows % count == 0 and rows // count <= MOST_ROWS:
            return count
    return None
