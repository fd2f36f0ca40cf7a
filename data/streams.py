"""Random streams, one for each purpose, so that none disturbs another."""

from __future__ import annotations

import numpy as np

EVALUATION = 1


def training_stream(seed: int) -> np.random.RandomState:
    """The legacy stream that `np.random.seed(seed)` gives: the blog's own."""
    return np.random.RandomState(seed)


def evaluation_stream(seed: int) -> np.random.RandomState:
    """A stream of its own for fresh data, independent of every training stream."""
    words = np.random.SeedSequence([seed, EVALUATION])
    return np.random.RandomState(np.random.MT19937(words))
