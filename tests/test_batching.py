"""data/batching.py against the blog's `gen_batch`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.batching import count_windows, cut_into_rows


def blog_gen_batch(
    raw_data: tuple[NDArray[Any], NDArray[Any]], batch_size: int, num_steps: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """r2rt part I, `gen_batch`, word for word."""
    raw_x, raw_y = raw_data
    data_length = len(raw_x)

    # partition raw data into batches and stack them vertically in a data matrix
    batch_partition_length = data_length // batch_size
    data_x = np.zeros([batch_size, batch_partition_length], dtype=np.int32)
    data_y = np.zeros([batch_size, batch_partition_length], dtype=np.int32)
    for i in range(batch_size):
        data_x[i] = raw_x[batch_partition_length * i : batch_partition_length * (i + 1)]
        data_y[i] = raw_y[batch_partition_length * i : batch_partition_length * (i + 1)]
    # further divide batch partitions into num_steps for truncated backprop
    epoch_size = batch_partition_length // num_steps

    for i in range(epoch_size):
        x = data_x[:, i * num_steps : (i + 1) * num_steps]
        y = data_y[:, i * num_steps : (i + 1) * num_steps]
        yield (x, y)


def sequence(size: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Inputs and labels that tell each place from its neighbours."""
    places = np.arange(size)
    return (places % 127).astype(np.int8), (places % 113).astype(np.int8)


@given(size=st.integers(1, 500), batch_size=st.integers(1, 40), num_steps=st.integers(1, 30))
def test_windows_are_the_blogs_batches(size: int, batch_size: int, num_steps: int) -> None:
    data = sequence(size)
    rows = cut_into_rows(*data, batch_size)
    batches = list(blog_gen_batch(data, batch_size, num_steps))
    assert count_windows(size, batch_size, num_steps) == len(batches)
    for number, (x, y) in enumerate(batches):
        window = rows.windows(number, 1, num_steps)
        np.testing.assert_array_equal(window.inputs, x)
        np.testing.assert_array_equal(window.labels, y)


def test_several_windows_at_once_lie_side_by_side() -> None:
    data = sequence(600)
    rows = cut_into_rows(*data, 4)
    together = rows.windows(2, 3, 5)
    one_by_one = [rows.windows(number, 1, 5) for number in (2, 3, 4)]
    np.testing.assert_array_equal(together.inputs, np.hstack([w.inputs for w in one_by_one]))
    np.testing.assert_array_equal(together.labels, np.hstack([w.labels for w in one_by_one]))


def test_rows_share_the_memory_of_the_sequence() -> None:
    inputs, labels = sequence(100)
    rows = cut_into_rows(inputs, labels, 7)
    assert np.shares_memory(rows.inputs, inputs)
    assert np.shares_memory(rows.labels, labels)
