"""Several claims at once: Holm's correction.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure". With 20 claims,
each wrong in 5 % of studies, more than half of all studies would have a wrong verdict. After the
correction at most 5 % of studies have one or more, however the claims depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given, to compare with the level itself."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepwise = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepwise))
    return adjusted.tolist()
