"""gradients/rows.py: numbers as they are printed."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.gradients.rows import shown_moments, spread_of


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1e-12, 0.0], "under 1e-09"),
        ([-1.0, -0.5], "-0.75 (-1–-0.5)"),  # cosines of opposite gradients
    ],
)
def test_only_what_is_near_0_is_rounding(values: list[float], shown: str) -> None:
    assert spread_of(np.array(values)) == shown


def test_one_moment_is_a_checkpoint() -> None:
    assert shown_moments([0, 10, 40]) == {"start": 0, "end": 2}
    assert shown_moments([40]) == {"checkpoint": 0}
