"""Seeds added in batches until a claim is decided, at the error rate of a single look.

If you look after every batch and stop at the first p below 0.05, you are wrong in far more than
5 % of studies: with ten looks at a null claim, in 19 % (Armitage, McPherson & Rowe 1969). Here
the level is divided equally among the looks planned beforehand (Bonferroni). Each look uses
level / looks, and the probability of a wrong verdict at any look is at most their sum.

The boundaries of Pocock or of O'Brien and Fleming need somewhat fewer seeds, but are exact only
for normal means with a known spread. The sum of levels is valid for Student's t with three seeds,
two one-sided tests, exact tests of shares and Holm's correction, however looks and claims depend
on each other. If you stop early for lack of time, the claim stays undecided, which is not an error.
"""

from __future__ import annotations

from experiments.statistics.verdicts import LEVEL


def looks(first: int, batch: int, most: int) -> list[int]:
    """The number of seeds at each look: `first`, then `batch` more each time, `most` at last."""
    return [*range(first, most, batch), most] if first < most else [most]


def level_of_look(look: int, planned: int, level: float = LEVEL) -> float:
    """The level of look 1, 2, ... of `planned`: the argument `level` of every judgement.

    The intervals of all looks then cover jointly (repeated confidence intervals, Jennison &
    Turnbull 1989). Raises ValueError for a look that was not planned, because an extra look would
    exceed the level.
    """
    if not 1 <= look <= planned:
        raise ValueError(f"look {look} is not one of the {planned} planned")
    return level / planned
