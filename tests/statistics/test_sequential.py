"""The error rate over all looks, by simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from experiments.statistics import estimates, shares, verdicts
from experiments.statistics.equivalence import within
from experiments.statistics.sequential import level_of_look, looks
from experiments.statistics.verdicts import Judgement, Verdict
from tests.statistics.rates import at_most, rate

SEEDS = looks(3, 3, 30)


def test_looks_end_with_the_most() -> None:
    assert SEEDS == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    assert looks(4, 5, 11) == [4, 9, 11]
    assert looks(8, 4, 8) == [8]
    assert looks(8, 4, 5) == [5]


def test_the_level_is_spent_once() -> None:
    assert sum(level_of_look(look, 7) for look in range(1, 8)) == pytest.approx(0.05)
    assert level_of_look(1, 1) == 0.05
    for look in (0, 8):
        with pytest.raises(ValueError, match=f"look {look} is not one of the 7 planned"):
            level_of_look(look, 7)


Judge = Callable[[list[float], float], Judgement]


def first_decided(
    judge: Judge, values: list[float], level_of: Callable[[int, int], float]
) -> Verdict:
    """The verdict at the first look that decides."""
    for look, seeds in enumerate(SEEDS, 1):
        verdict = judge(values[:seeds], level_of(look, len(SEEDS))).verdict
        if verdict != "undecided":
            return verdict
    return "undecided"


def every_look(_look: int, _planned: int) -> float:
    return 0.05


def judge_difference(values: list[float], level: float) -> Judgement:
    return verdicts.below(estimates.mean(values), 0, level)


def judge_equality(values: list[float], level: float) -> Judgement:
    return within(estimates.mean(values), 0.5, level=level)


def judge_share(values: list[float], level: float) -> Judgement:
    return shares.at_least(int(sum(values)), len(values), 0.8, level)


def test_a_null_difference_is_decided_in_5_percent_of_studies() -> None:
    draws = np.random.default_rng(0).normal(size=[1500, SEEDS[-1]]).tolist()
    decided = [first_decided(judge_difference, values, level_of_look) for values in draws]
    assert at_most(0.05, [verdict != "undecided" for verdict in decided])
    careless = [first_decided(judge_difference, values, every_look) for values in draws]
    assert rate(verdict != "undecided" for verdict in careless) > 0.15


def test_equality_at_the_margin_is_wrong_in_5_percent_of_studies() -> None:
    draws = np.random.default_rng(0).normal(0.5, 0.5, [1500, SEEDS[-1]]).tolist()
    decided = [first_decided(judge_equality, values, level_of_look) for values in draws]
    assert at_most(0.05, [verdict == "holds" for verdict in decided])
    assert at_most(0.05, [verdict == "fails" for verdict in decided])


def test_a_share_at_the_threshold_is_wrong_in_5_percent_of_studies() -> None:
    draws = (np.random.default_rng(0).random([1500, SEEDS[-1]]) < 0.8).tolist()
    decided = [first_decided(judge_share, values, level_of_look) for values in draws]
    assert at_most(0.05, [verdict == "holds" for verdict in decided])
    assert at_most(0.05, [verdict == "fails" for verdict in decided])


def test_a_clear_difference_is_decided_early() -> None:
    draws = np.random.default_rng(0).normal(-3, 1, [200, SEEDS[-1]]).tolist()
    decided = [first_decided(judge_difference, values, level_of_look) for values in draws]
    assert set(decided) == {"holds"}
    early = [judge_difference(values[:9], 0.005).verdict == "holds" for values in draws]
    assert rate(early) > 0.95
