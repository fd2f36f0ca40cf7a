"""gradients/report.py: an error signal in words."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.gradients.report import in_words


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ([8.0, 4.0, 1.0], "8 at lag 0, 1 at lag 2; each step divides it by 2.83 (2–4)"),
        ([1.0, 2.0], "1 at lag 0, 2 at lag 1; each step divides it by 0.5 (0.5–0.5)"),
        ([3.0], "3 at lag 0"),
        ([3.0, 0.0], "3 at lag 0, 0 at lag 1"),  # cut, or below the smallest number
    ],
)
def test_the_factor_of_a_step_is_a_geometric_mean(signal: list[float], text: str) -> None:
    assert in_words(np.array(signal)) == text
