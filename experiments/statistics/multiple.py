"""Several claims at once: Holm's correction.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure". With 20 claims,
each wrong in 5 % of studies, more than half of all studies would have a wrong verdict. After the
correction at most 5 % of studies have one or more, however the claims depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.statistics.verdicts import LEVEL, Judgement, Verdict


class Corrected(NamedTuple):
    """A verdict after the correction for all claims of the study."""

    verdict: Verdict
    p: float  # adjusted


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given, to compare with the level itself."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepwise = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepwise))
    return adjusted.tolist()


def corrected(judgements: Sequence[Judgement], level: float = LEVEL) -> list[Corrected]:
    """The verdicts after Holm's correction. A claim that is decided alone may be undecided here.

    Leave out exact claims, which involve no seeds.
    """
    adjusted = holm([judgement.p for judgement in judgements])
    return [
        Corrected(judgement.verdict if p <= level else "undecided", p)
        for judgement, p in zip(judgements, adjusted, strict=True)
    ]
