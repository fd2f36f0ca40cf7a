"""How far an estimate of a gradient is from the gradient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class GradientError(NamedTuple):
    """An estimate ĝ of the gradient g."""

    relative_error: float  # ‖ĝ − g‖ / ‖g‖
    cosine: float  # of the angle between them


def compare(estimate: NDArray[np.float64], gradient: NDArray[np.float64]) -> GradientError:
    """Compare an estimate with the gradient; both are [parameters], over all weights."""
    # A gradient of zero has no angle: nan. One that overflows is reported as diverged.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        lengths = np.sqrt((estimate @ estimate) * (gradient @ gradient))
        return GradientError(
            float(np.linalg.norm(estimate - gradient) / np.linalg.norm(gradient)),
            float(estimate @ gradient / lengths),
        )
