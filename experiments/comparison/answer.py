"""The first sentences of a comparison's report."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.comparison.groups import shared_name
from experiments.comparison.ranking import Ranking
from experiments.comparison.table import Comparison, Line


def answers(compared: Comparison) -> list[str]:
    """For each task, the best group and the number of groups indistinguishable from it."""
    several = len(compared.tasks) > 1
    return [
        (f"{shared_name([line.group for line in lines])}: " if several else "")
        + _answer(lines, compared.ranking)
        for lines in compared.tasks
    ]


def _answer(lines: Sequence[Line], ranking: Ranking) -> str:
    ranked = [line for line in lines if line.mean]
    if not ranked:
        return "No seed is complete, so nothing can be ranked."
    # The first line may be of a single seed, or of a group that lost seeds: neither is the best.
    best = next((line for line in ranked if line.standing == "best"), ranked[0])
    others = [line for line in ranked if line is not best]
    assert best.mean is not None
    number = f"{ranking.title} of {best.mean.mean:.4f}"
    if not others:
        return f"{best.group.label} has a {number}."
    sentence = f"{best.group.label} is best, with a {number}"
    alike = {
        "indistinguishable from it": [line for line in others if line.standing == "tied"],
        "not comparable, for want of seeds": [
            line for line in others if line.standing not in ("tied", "worse")
        ],
    }
    rest = [f"{_subject(found)} {what}" for what, found in alike.items() if found]
    return ", but ".join([sentence, " and ".join(rest)] if rest else [sentence]) + "."


def _subject(lines: Sequence[Line]) -> str:
    return f"{lines[0].group.label} is" if len(lines) == 1 else f"{len(lines)} others are"
