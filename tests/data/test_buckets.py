"""Batches by length: every example once, each batch no longer than its bucket."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.buckets import bucket_of_batches, in_buckets, lengths_of_buckets, share_of_padding
from data.task import Examples


def examples(lengths: list[int]) -> Examples:
    """Examples that each hold their own number, at each of their steps."""
    inputs = np.zeros([len(lengths), max(lengths)], np.int32)
    for number, length in enumerate(lengths):
        inputs[number, :length] = number + 1
    return Examples(inputs, inputs, (inputs > 0).astype(np.float32), np.array(lengths, np.int32))


def test_buckets_end_at_quantiles_of_the_lengths() -> None:
    lengths = np.array([5, 1, 2, 9, 3, 4, 8, 7, 6, 10], np.int32)
    assert lengths_of_buckets(lengths, 1) == (10,)
    assert lengths_of_buckets(lengths, 2) == (5, 10)
    assert lengths_of_buckets(lengths, 5) == (2, 4, 6, 8, 10)
    assert lengths_of_buckets(np.array([3, 3, 3, 9], np.int32), 4) == (3, 9)
    assert lengths_of_buckets(np.array([2, 7], np.int32), 5) == (2, 7)


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=60),
    st.integers(1, 7),
    st.integers(1, 6),
    st.integers(0, 99),
)
def test_an_epoch_has_the_same_examples_with_and_without_buckets(
    lengths: list[int], batch_size: int, buckets: int, seed: int
) -> None:
    batch_size = min(batch_size, len(lengths))
    drawn = examples(lengths)
    padded = lengths_of_buckets(drawn.lengths, buckets)
    stream = np.random.RandomState(seed)
    arranged = in_buckets(drawn, padded, batch_size, stream)
    whole = len(lengths) // batch_size * batch_size
    assert sorted(arranged.inputs[:, 0]) == [*range(1, whole + 1)]
    of_batches = arranged.lengths.reshape(-1, batch_size).T
    bucket = bucket_of_batches(of_batches, padded)
    assert (np.array(padded)[bucket] >= of_batches.max(axis=0)).all()
    longer = np.searchsorted(padded, of_batches)
    mixed = (longer != longer[0]).any(axis=0).sum()
    assert mixed < len(padded)  # one batch at each border of two buckets, at most
    again = in_buckets(drawn, padded, batch_size, np.random.RandomState(seed))
    np.testing.assert_array_equal(arranged.inputs, again.inputs)


def test_batches_come_in_a_new_order_not_from_short_to_long() -> None:
    drawn = examples([1, 2, 3, 4] * 25)
    arranged = in_buckets(drawn, (1, 2, 3, 4), 5, np.random.RandomState(1))
    lengths = arranged.lengths.reshape(-1, 5).max(axis=1)
    assert sorted(lengths) == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert [*lengths] != sorted(lengths)


def test_the_share_of_padding_by_hand() -> None:
    lengths = np.array([1, 2, 3, 6], np.int32)
    assert share_of_padding(lengths, [6]) == pytest.approx(1 - 12 / 24)
    assert share_of_padding(lengths, [2, 6]) == pytest.approx(1 - 12 / (2 + 2 + 6 + 6))
