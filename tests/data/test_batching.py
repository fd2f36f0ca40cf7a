"""data/batching.py against the blog's `gen_batch`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.batching import Rows, cut_into_rows, example_windows, sequence_windows
from data.task import Examples, Sequence


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


def sequence(size: int) -> Sequence:
    """Inputs and labels that distinguish each place from its neighbours."""
    places = np.arange(size)
    return Sequence((places % 127).astype(np.int8), (places % 113).astype(np.int8))


@given(size=st.integers(1, 500), batch_size=st.integers(1, 40), num_steps=st.integers(1, 30))
def test_windows_are_the_blogs_batches(size: int, batch_size: int, num_steps: int) -> None:
    data = sequence(size)
    rows = cut_into_rows(data, batch_size)
    batches = list(blog_gen_batch(data, batch_size, num_steps))
    if batches:
        assert sequence_windows(size, batch_size, num_steps, 0) == len(batches)
    else:
        with pytest.raises(ValueError, match=r"graph\.(batch_size|num_steps): expected at most"):
            sequence_windows(size, batch_size, num_steps, 0)
    for number, (x, y) in enumerate(batches):
        window = rows.windows(number, 1, num_steps)
        np.testing.assert_array_equal(window.inputs, x)
        np.testing.assert_array_equal(window.labels, y)


def test_several_windows_at_once_lie_side_by_side() -> None:
    data = sequence(600)
    rows = cut_into_rows(data, 4)
    together = rows.windows(2, 3, 5)
    one_by_one = [rows.windows(number, 1, 5) for number in (2, 3, 4)]
    np.testing.assert_array_equal(together.inputs, np.hstack([w.inputs for w in one_by_one]))
    np.testing.assert_array_equal(together.labels, np.hstack([w.labels for w in one_by_one]))


def test_rows_share_the_memory_of_the_sequence() -> None:
    data = sequence(100)
    rows = cut_into_rows(data, 7)
    assert np.shares_memory(rows.inputs, data.inputs)
    assert np.shares_memory(rows.labels, data.labels)


def examples(count: int, time: int, depth: int) -> Examples:
    """Examples in which every entry shows its place."""
    inputs = np.arange(count * time * depth, dtype=np.float32).reshape(count, time, depth)
    labels = np.arange(count * time).reshape(count, time)
    lengths = np.arange(count, dtype=np.int32) % time + 1
    return Examples(
        inputs, labels, (np.arange(time) < lengths[:, None]).astype(np.float32), lengths
    )


def test_a_window_of_examples_holds_a_batch_of_them_in_order() -> None:
    data = examples(11, 4, 3)
    rows: Rows = cut_into_rows(data, 2)
    assert example_windows(11, 4, 2, 4, 0) == 5
    for number in range(5):
        window = rows.windows(number, 1, 4)
        batch = slice(2 * number, 2 * number + 2)
        assert window.weights is not None
        assert window.lengths is not None
        np.testing.assert_array_equal(window.inputs, data.inputs[batch])
        np.testing.assert_array_equal(window.labels, data.labels[batch])
        np.testing.assert_array_equal(window.weights, data.weights[batch])
        np.testing.assert_array_equal(window.lengths[:, 0], data.lengths[batch])


@pytest.mark.parametrize(
    ("batch_size", "num_steps", "context", "reason"),
    [
        (2, 5, 0, "graph.num_steps: expected the length of an example, 4; got 5"),
        (12, 4, 0, "graph.batch_size: expected at most the number of examples, 11; got 12"),
        (2, 4, 1, "truncation.context: an example has no steps before its first"),
    ],
)
def test_examples_that_do_not_fit_are_refused(
    batch_size: int, num_steps: int, context: int, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        example_windows(11, 4, batch_size, num_steps, context)
