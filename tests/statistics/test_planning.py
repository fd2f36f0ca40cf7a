"""How many seeds decide: published tables, and the power by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import estimates, planning, shares, verdicts
from experiments.statistics.equivalence import within
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


def test_the_limit_counts() -> None:
    today = Estimate(0.5, 1 / 10**0.5, 9)
    assert planning.seeds_needed(today, 10, limit=0.3) == 199


@pytest.mark.parametrize(
    "today",
    [Estimate(0, 0.1, 4), Estimate(1, float("inf"), 1), Estimate(1, 0, 4)],
    ids=["no difference", "one seed", "no spread"],
)
def test_what_no_number_of_seeds_decides(today: Estimate) -> None:
    assert planning.seeds_needed(today, 5) is None


@pytest.mark.parametrize("value", [0.0, 0.02, 0.11])
def test_so_many_seeds_decide_equality_in_80_percent(value: float) -> None:
    seeds = planning.seeds_needed_within(Estimate(value, 0.1 / 5**0.5, 4), 5, 0.05)
    assert seeds is not None

    def decided(n: int) -> float:
        draws = np.random.default_rng(0).normal(value, 0.1, [2000, n]).tolist()
        return rate(within(estimates.mean(d), 0.05).verdict != "undecided" for d in draws)

    assert decided(seeds) == pytest.approx(0.8, abs=0.04)


def test_equality_at_the_margin_is_never_decided() -> None:
    assert planning.seeds_needed_within(Estimate(0.05, 0.1, 4), 5, 0.05) is None


def test_so_many_seeds_decide_a_difference_in_80_percent() -> None:
    seeds = planning.seeds_needed(Estimate(0.4, 0.5, 3), 4, level=0.01)
    assert seeds is not None
    draws = np.random.default_rng(0).normal(0.4, 1, [2000, seeds]).tolist()
    decided = rate(verdicts.below(estimates.mean(d), 0, 0.01).verdict != "undecided" for d in draws)
    assert decided == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(("count", "total"), [(10, 10), (9, 10), (2, 10)])
def test_so_many_seeds_decide_a_share(count: int, total: int) -> None:
    seeds = planning.seeds_needed_for_share(count, total, 0.5)
    assert seeds is not None

    def decided(n: int) -> float:
        counts = np.random.default_rng(0).binomial(n, count / total, 2000).tolist()
        table = [shares.at_least(each, n, 0.5).verdict != "undecided" for each in range(n + 1)]
        return rate(table[each] for each in counts)

    assert decided(seeds) > 0.78
    assert decided(seeds - 1) < 0.82


def test_all_of_5_decide_a_share_of_half() -> None:
    # 0.5**5 is the first power below 0.05.
    assert planning.seeds_needed_for_share(3, 3, 0.5) == 5
    assert planning.seeds_needed_for_share(0, 3, 0.5) == 5


def test_a_share_at_its_threshold_is_never_decided() -> None:
    assert planning.seeds_needed_for_share(5, 10, 0.5) is None
