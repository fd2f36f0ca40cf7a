"""Batches of examples of similar length, so that less padding is computed.

lengths   3 4 3 4 | 6 5 6 6 | 9 8 6 9      a bucket has a padded length: 4, 6, 9
buckets   (   4   ) (   6   ) (   9   )    a batch takes the least that its longest example fits in

A batch where one bucket ends and the next begins holds examples of both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data.examples import take
from data.task import Examples

Lengths = NDArray[np.int32]


def lengths_of_buckets(lengths: Lengths, buckets: int) -> tuple[int, ...]:
    """The padded length of each bucket, ascending: each has about as many examples as the next.

    There are fewer than `buckets` where several would have the same length.
    """
    ordered, ends = np.sort(lengths), np.arange(1, buckets + 1) * len(lengths) // buckets - 1
    return tuple(np.unique(ordered[np.maximum(ends, 0)]).tolist())


def bucket_of_batches(lengths: Lengths, padded: Sequence[int]) -> NDArray[np.int32]:
    """The bucket of each batch. lengths [batch, batches], padded lengths ascending."""
    buckets: NDArray[np.int32] = np.searchsorted(padded, lengths.max(axis=0)).astype(np.int32)
    return buckets


def in_buckets(
    drawn: Examples, padded: Sequence[int], batch_size: int, stream: np.random.RandomState
) -> Examples:
    """An epoch's examples, arranged so that batches are of one bucket, in a new order of batches.

    Examples of a bucket keep the order in which they were drawn. Those that fill no batch are left
    out, the same as without buckets.
    """
    batches = len(drawn.lengths) // batch_size
    bucket = np.searchsorted(padded, drawn.lengths[: batches * batch_size])
    by_bucket = np.argsort(bucket, kind="stable").reshape(batches, batch_size)
    return take(drawn, by_bucket[stream.permutation(batches)].reshape(-1))


def share_of_padding(lengths: Lengths, padded: Sequence[int]) -> float:
    """The share of padding among the time steps of examples that are each padded to their bucket's.

    Of batches it is a little more: those between two buckets take the longer length.
    """
    computed = np.asarray(padded)[np.searchsorted(padded, lengths)]
    return 1 - float(lengths.sum() / computed.sum())
