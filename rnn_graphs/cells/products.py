"""[x, h] W + b, the product inside a cell, in two forms: plain, and for XLA.

XLA's CPU backend has its own code for small matrices: at most 128 rows, an inner dimension of 128
and 32 columns. It hands larger ones to Eigen, where a call takes at least 2 µs, longer than the
rest of a narrow cell's step. The 200 rows of r2rt's batches are too many for one product, so they
become a batch of two products of 100 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any

# (x [batch, input_size], h [batch, state_size], W [input_size + state_size, units], b [units])
# → [batch, units]
Affine = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

MOST_ROWS, MOST_INNER, MOST_COLUMNS = 128, 128, 32
FEWEST_ROWS = 32  # of a block; with fewer, there are too many products to be worthwhile


def affine(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """[x, h] W + b."""
    return tf.matmul(tf.concat([x, h], 1), W) + b


def affine_for_xla(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """[x, h] W + b, in blocks of rows if that makes the products small enough for XLA."""
    depth, units = (int(size) for size in W.shape)
    with_bias = depth + 1
    small = with_bias <= MOST_INNER and max(units, int(h.shape[1])) <= MOST_COLUMNS
    if not small or _count_blocks(int(h.shape[0])) is None:
        return affine(x, h, W, b)
    return _affine_in_blocks(x, h, tf.convert_to_tensor(W), tf.convert_to_tensor(b))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _affine_in_blocks(x: Tensor, h: Tensor, W: Tensor, b: Tensor) -> tuple[Tensor, Any]:
    """[x, h, 1] [W; b] in blocks. The product for the gradient of W also gives that of b."""
    depth = int(x.shape[1])
    inputs = tf.concat([x, h, tf.ones([int(x.shape[0]), 1], x.dtype)], 1)

    def gradients(errors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        of_weights = tf.matmul(inputs, errors, transpose_a=True)
        # Two products, so that XLA drops the one for x if x is one-hot and needs no gradient.
        of_x, of_h = (_back(errors, part) for part in (W[:depth], W[depth:]))
        return of_x, of_h, of_weights[:-1], of_weights[-1]

    blocks = _blocks(inputs)
    matrix = tf.concat([W, b[None]], 0)
    outputs = tf.matmul(blocks, tf.tile(matrix[None], [int(blocks.shape[0]), 1, 1]))
    return tf.reshape(outputs, [int(x.shape[0]), int(W.shape[1])]), gradients


def _back(errors: Tensor, W: Tensor) -> Tensor:
    """errors Wᵀ, [batch, units] → [batch, rows of W]."""
    blocks = _blocks(errors)
    # Adding zeros of the errors gives each block its own copy of Wᵀ, and each slot of
    # tf.vectorized_map too. With a shared one, slots would be merged into the rows of a block.
    copies = tf.transpose(W) + 0 * blocks[:, :1, :1]
    return tf.reshape(tf.matmul(blocks, copies), [int(errors.shape[0]), int(W.shape[0])])


def _blocks(rows: Tensor) -> Tensor:
    """[batch, depth] → [blocks, batch / blocks, depth]."""
    batch, depth = (int(size) for size in rows.shape)
    count = _count_blocks(batch)
    assert count is not None
    return tf.reshape(rows, [count, batch // count, depth])


def _count_blocks(rows: int) -> int | None:
    """The least number of equal blocks with at most MOST_ROWS; None if they are too small."""
    for count in range(1, max(1, rows // FEWEST_ROWS) + 1):
        if rows % count == 0 and rows // count <= MOST_ROWS:
            return count
    return None
