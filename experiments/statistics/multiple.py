"""Several claims at once: Holm's correction.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure". With 20 claims,
each wrong in 5 % of studies, a study would have a wrong verdict more often than not. After
the correction, at most 5 % of studies have one or more, however the claims depend on each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.statistics.verdicts import LEVEL, Judgement, Verdict


class Corrected(NamedTuple):
    """What is left of a verdict once all claims of the study count."""

    verdict: Verdict
    p: float  # adjusted


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given: to be compared with the level itself."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepwise = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepwise))
    return adjusted.tolist()


def corrected(judgements: Sequence[Judgement], level: float = LEVEL) -> list[Corrected]:
    """The verdicts after Holm's correction: what is decided alone may be undecided here.

    Exact claims, which have no seeds in them, do not belong to the list.
    """
    adjusted = holm([judgement.p for judgement in judgements])
    return [
        Corrected(judgement.verdict if p <= level else "undecided", p)
        for judgement, p in zip(judgements, adjusted, strict=True)
    ]
