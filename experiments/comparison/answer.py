"""The sentence that a report of a comparison starts with."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.comparison.table import Line


def ranking(lines: Sequence[Line]) -> str:
    """The best of the lines, which are ranked, and how many cannot be told from it."""
    ranked = [line for line in lines if line.loss]
    if not ranked:
        return "No seed is complete, so nothing can be ranked."
    best = next((line for line in ranked if line.above_best is None), ranked[0])
    assert best.loss is not None
    if len(lines) == 1:
        return f"{best.group.label} ends at a loss of {best.loss.mean:.4f}."
    sentence = f"{best.group.label} is best, with a final loss of {best.loss.mean:.4f}"
    tied = [line for line in ranked if line is not best and not _is_above(line)]
    if not tied:
        return f"{sentence}."
    if len(tied) == 1:
        return f"{sentence}, but {tied[0].group.label} cannot be told from it."
    return f"{sentence}, but {len(tied)} others cannot be told from it."


def _is_above(line: Line) -> bool:
    """Whether the interval of the difference from the best is above 0."""
    low = line.above_best and line.above_best.low
    return low is not None and low > 0
