"""The inputs that a model uses, from excess losses that are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.advice.memory import memory_of


def excess(values: list[float], noise: float = 0.0, windows: int = 6) -> NDArray[np.float64]:
    random = np.random.default_rng(0)
    return np.array(values) + random.normal(0, noise, (windows, len(values)))


def test_a_lag_is_reached_by_one_input_more() -> None:
    """With lag 3 the label needs x_{t−3}: 4 inputs give it, 3 do not."""
    found = memory_of(excess([0.2, 0.2, 0.2, 0, 0, 0], 0.001))
    assert found.inputs == 4
    assert found.is_used
    assert found.harm.mean == pytest.approx(0.2, abs=0.005)


def test_the_longer_of_two_lags_counts() -> None:
    two = [0.2] * 3 + [0.06] * 5 + [0.0] * 12
    assert memory_of(excess(two, 0.005)).inputs == 9
    small = [0.2] * 3 + [0.01] * 5 + [0.0] * 12  # less than a tenth of the harm
    assert memory_of(excess(small, 0.005)).inputs == 4


def test_noise_far_out_is_no_dependency() -> None:
    assert memory_of(excess([0.2] * 3 + [0.0] * 60, 0.01)).inputs == 4


def test_a_memory_longer_than_the_window_has_no_number() -> None:
    assert memory_of(excess([0.2] * 10, 0.001)).inputs is None


def test_a_model_without_memory_uses_none() -> None:
    assert not memory_of(excess([0.0] * 10, 0.01)).is_used
