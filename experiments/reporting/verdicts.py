"""Verdicts in a report: counted in a sentence, grouped, and marked with a sign."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.reporting.claims import Claim

# In the order of a report, which starts with what needs attention.
SIGNS = {"fails": "✗", "undecided": "?", "not_run": "–", "holds": "✓"}
COUNTED = {  # one, several
    "fails": ("fails", "fail"),
    "undecided": ("is undecided", "are undecided"),
    "not_run": ("was not run", "were not run"),
    "holds": ("holds", "hold"),
}


def by_verdict(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims by verdict, in the order of SIGNS; a verdict without claims has an empty list."""
    return {verdict: [claim for claim in claims if claim.verdict == verdict] for verdict in SIGNS}


def tally(claims: Sequence[Claim]) -> str:
    """The verdicts in words: "9 of 12 claims hold. 1 fails, 2 are undecided." """
    counts = {verdict: len(found) for verdict, found in by_verdict(claims).items() if found}
    if len(counts) == 1:
        (verdict,) = counts
        one, several = COUNTED[verdict]
        return f"The claim {one}." if len(claims) == 1 else f"All {len(claims)} claims {several}."
    holds = counts.pop("holds", 0)
    rest = [f"{count} {COUNTED[verdict][count > 1]}" for verdict, count in counts.items()]
    first = f"{holds or 'None'} of {len(claims)} claims {COUNTED['holds'][holds > 1]}."
    return f"{first} {', '.join(rest)}."
