"""data/streams.py: streams that can be saved, and that are independent."""

from __future__ import annotations

import numpy as np
import pytest

from data.streams import evaluation_stream, state_of, stream_at, training_stream


def test_the_training_stream_is_that_of_a_seeded_legacy_numpy() -> None:
    np.random.seed(42)
    np.testing.assert_array_equal(training_stream(42).rand(1000), np.random.rand(1000))


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 10_000])
def test_a_stream_goes_on_from_its_state(drawn: int) -> None:
    stream = training_stream(3)
    stream.randint(0, 2, drawn, dtype=np.int32)
    copy = stream_at(state_of(stream))
    np.testing.assert_array_equal(copy.rand(2000), stream.rand(2000))


def test_a_state_does_not_move_with_its_stream() -> None:
    stream = training_stream(3)
    state = state_of(stream)
    stream.rand(1000)
    np.testing.assert_array_equal(stream_at(state).rand(10), training_stream(3).rand(10))


def test_fresh_data_comes_from_another_stream_than_training() -> None:
    ours = set(evaluation_stream(0).rand(1000))
    for seed in range(5):
        assert ours.isdisjoint(training_stream(seed).rand(1000))


def test_each_seed_has_its_own_fresh_data_and_always_the_same() -> None:
    np.testing.assert_array_equal(evaluation_stream(1).rand(9), evaluation_stream(1).rand(9))
    assert not np.array_equal(evaluation_stream(1).rand(9), evaluation_stream(2).rand(9))
