"""Random streams, one for each purpose, so that none disturbs another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EVALUATION = 1


class StreamState(NamedTuple):
    """The state of a stream, in plain arrays and numbers."""

    keys: NDArray[np.uint32]  # [624], of the Mersenne Twister
    place: int


def state_of(stream: np.random.RandomState) -> StreamState:
    """The state, to continue from with `stream_at`; no normal deviate may be half used."""
    state = stream.get_state(legacy=False)
    assert isinstance(state, dict)
    assert not state["has_gauss"]
    return StreamState(state["state"]["key"].copy(), int(state["state"]["pos"]))


def stream_at(state: StreamState) -> np.random.RandomState:
    """A stream that continues from this state."""
    stream = np.random.RandomState()
    stream.set_state(("MT19937", state.keys, state.place, 0, 0.0))
    return stream


def training_stream(seed: int) -> np.random.RandomState:
    """The legacy stream that `np.random.seed(seed)` gives: the blog's own."""
    return np.random.RandomState(seed)


def evaluation_stream(seed: int) -> np.random.RandomState:
    """A stream of its own for fresh data, independent of every training stream."""
    words = np.random.SeedSequence([seed, EVALUATION])
    return np.random.RandomState(np.random.MT19937(words))
