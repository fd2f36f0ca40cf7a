"""Holm's correction over the claims of a study."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.reporting.claims import Claim, Outcome
from experiments.statistics.multiple import holm
from experiments.statistics.verdicts import LEVEL


def with_corrections(claims: Sequence[Claim], level: float = LEVEL) -> list[Claim]:
    """The claims with their corrected verdicts, in the same order.

    Claims that are exact, measured once or not run have no p: they keep their verdict and do not
    count.
    """
    tested = [claim.id for claim in claims if claim.p is not None]
    p_values = holm([claim.p for claim in claims if claim.p is not None])
    adjusted = dict(zip(tested, p_values, strict=True))
    return [_with(claim, adjusted.get(claim.id), level) for claim in claims]


def _with(claim: Claim, p: float | None, level: float) -> Claim:
    verdict: Outcome = claim.verdict if p is None or p <= level else "undecided"
    return claim._replace(p_corrected=p, verdict_corrected=verdict)
