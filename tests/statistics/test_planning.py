"""How many seeds decide: published tables, and the power by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import estimates, planning, verdicts
from experiments.statistics.estimates import Estimate
from tests.statistics.rates import rate


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_pairs_for_80_percent_power(effect: float, seeds: int) -> None:
    # Faul et al. 2007, G*Power: matched pairs, two-sided 5 %.
    today = Estimate(effect, 1 / 10**0.5, 9)
    assert planning.seeds_needed(today, 10) == seeds


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_seeds_a_group_for_80_percent_power(effect: float, seeds: int) -> None:
    # Faul et al. 2007, G*Power; Cohen 1988, table 2.4.1, has 393, 64 and 26.
    today = Estimate(-effect, (2 / 10) ** 0.5, 18)
    assert planning.seeds_needed(today, 10) == seeds


@pytest.mark.parametrize(
    "today",
    [Estimate(0, 0.1, 4), Estimate(1, float("inf"), 1), Estimate(1, 0, 4)],
    ids=["no difference", "one seed", "no spread"],
)
def test_what_no_number_of_seeds_decides(today: Estimate) -> None:
    assert planning.seeds_needed(today, 5) is None


def test_so_many_seeds_decide_a_difference_in_80_percent() -> None:
    seeds = planning.seeds_needed(Estimate(0.4, 0.5, 3), 4, level=0.01)
    assert seeds is not None
    draws = np.random.default_rng(0).normal(0.4, 1, [2000, seeds]).tolist()
    decided = rate(verdicts.below(estimates.mean(d), 0, 0.01).verdict != "undecided" for d in draws)
    assert decided == pytest.approx(0.8, abs=0.04)
