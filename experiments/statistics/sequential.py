"""Seeds added in batches until a claim is decided, at the error rate of a single look.

If you look after every batch and stop at the first p below 0.05, you are wrong far more often
than in 5 % of studies: with ten looks at a null claim, in 19 % (Armitage, McPherson & Rowe 1969).
Here the level is spent in equal parts over the looks planned beforehand (Bonferroni): each
look may use level / looks, and the chance of a wrong verdict at any look is at most the sum.

The boundaries of Pocock or of O'Brien and Fleming decide with somewhat fewer seeds, but are
exact for normal means with a known spread alone. The sum holds for Student's t with three
seeds, for two one-sided tests, for exact tests of shares and for Holm's correction alike,
however looks and claims depend on each other. Stopping early for lack of time leaves a
claim undecided, which is no error.
"""

from __future__ import annotations

from experiments.statistics.verdicts import LEVEL


def looks(first: int, batch: int, most: int) -> list[int]:
    """The number of seeds at each look: `first`, then `batch` more each time, `most` at last."""
    return [*range(first, most, batch), most] if first < most else [most]


def level_of_look(look: int, planned: int, level: float = LEVEL) -> float:
    """The level of look 1, 2, ... of `planned`: the argument `level` of every judgement.

    The intervals shown at the looks then cover all together: repeated confidence intervals,
    Jennison & Turnbull 1989. Raises ValueError for a look that was not planned, because
    one look too many spends more than the level.
    """
    if not 1 <= look <= planned:
        raise ValueError(f"look {look} is not one of the {planned} planned")
    return level / planned
