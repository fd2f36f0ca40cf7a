"""The rate at which equal groups are separated, and that unequal ones are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from experiments.statistics.best import above_best, lowest_mean
from experiments.statistics.paired import Values
from tests.statistics.rates import at_most, by_seed, covers, ends, rate


def sweep(losses: np.ndarray, is_paired: bool = False) -> dict[str, dict[int, float]]:
    """Groups of the shape [groups, seeds], without seeds in common unless they are paired."""
    seeds = losses.shape[1]
    firsts = itertools.repeat(0) if is_paired else itertools.count(0, seeds)
    return {
        str(index): dict(enumerate(row, first))
        for index, (row, first) in enumerate(zip(losses.tolist(), firsts, strict=False))
    }


def tied(groups: Mapping[str, Values]) -> list[str]:
    """The best and the groups that are tied with it."""
    compared = above_best(groups)
    return [name for name in groups if name not in compared or compared[name].is_tied]


@pytest.mark.parametrize("is_paired", [False, True])
@pytest.mark.parametrize(("groups", "seeds"), [(4, 4), (10, 10), (10, 3)])
def test_equal_groups_are_separated_in_5_percent(groups: int, seeds: int, is_paired: bool) -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=[500, 1, seeds]) if is_paired else 0
    sweeps = shared + rng.normal(size=[500, groups, seeds])
    wrong = [len(tied(sweep(losses, is_paired))) < groups for losses in sweeps]
    assert at_most(0.05, wrong)


def test_plain_intervals_separate_10_equal_groups_in_half_of_all_sweeps() -> None:
    sweeps = np.random.default_rng(0).normal(size=[500, 10, 10])
    means, variances = sweeps.mean(2), sweeps.var(2, ddof=1) / 10
    best = means.argmin(1)[:, None]
    errors = (variances + np.take_along_axis(variances, best, 1)) ** 0.5
    distances = (means - means.min(1, keepdims=True)) / errors
    assert rate((distances > stats.t.ppf(0.975, 18)).any(1)) > 0.45


def test_dunnetts_test_against_the_lowest_of_equal_groups_is_wrong_too_often() -> None:
    rng = np.random.default_rng(0)

    def distances(control: str) -> np.ndarray:
        sweeps = rng.normal(size=[4000, 4, 4])
        means, error = sweeps.mean(2), (sweeps.var(2, ddof=1).mean(1) / 2) ** 0.5
        chosen = means[:, 0] if control == "first" else means.min(1)
        return np.asarray((means - chosen[:, None]).max(1) / error)

    critical = np.quantile(distances("first"), 0.95)  # Dunnett's, one-sided: 2.29
    assert critical == pytest.approx(2.29, abs=0.1)
    assert rate(distances("lowest") > critical) > 0.1


def test_groups_of_different_spread_are_separated_in_5_percent() -> None:
    spreads = np.array([1, 1, 0.01, 0.01, 0.01])[:, None]
    sweeps = spreads * np.random.default_rng(0).normal(size=[500, 5, 6])
    assert at_most(0.05, [len(tied(sweep(losses))) < 5 for losses in sweeps])


def test_all_differences_from_the_best_are_covered_together() -> None:
    truth = np.array([0.0, 0.1, 0.5, 2.0])
    sweeps = truth[:, None] + 0.3 * np.random.default_rng(0).normal(size=[500, 4, 5])
    missed = []
    for losses in sweeps:
        groups = sweep(losses)
        best = truth[int(lowest_mean(groups))]
        missed.append(
            any(
                not covers(found.interval, truth[int(name)] - best)
                for name, found in above_best(groups).items()
            )
        )
    assert at_most(0.05, missed)


def test_a_worse_group_is_above_the_best() -> None:
    rng = np.random.default_rng(0)
    losses = np.array([0.5, 0.501, 0.7, 0.9])[:, None] + 0.005 * rng.normal(size=[4, 5])
    groups = sweep(losses)
    assert tied(groups) == ["0", "1"]
    found = above_best(groups)
    assert set(found) == {"0", "1", "2", "3"} - {lowest_mean(groups)}
    assert found["3"].interval.mean == pytest.approx(0.4, abs=0.02)


def test_one_difference_is_welchs_times_the_pairs() -> None:
    losses = np.random.default_rng(0).normal([[0.0], [1.0], [1.5]], 0.3, [3, 5])
    groups = sweep(losses)
    best = int(lowest_mean(groups))
    for name, found in above_best(groups).items():
        expected = stats.ttest_ind(losses[int(name)], losses[best], equal_var=False)
        assert found.p == pytest.approx(min(1, 3 * expected.pvalue))
        interval = expected.confidence_interval(1 - 0.05 / 3)
        assert ends(found.interval) == pytest.approx([interval.low, interval.high])
        assert found.is_tied == (interval.low <= 0 <= interval.high)


def test_a_group_of_one_seed_is_tied_and_costs_the_others_nothing() -> None:
    groups = {"a": by_seed([0.5, 0.51, 0.49]), "b": by_seed([0.9, 0.91, 0.88])}
    alone = groups | {"c": {0: 5.0}}
    assert tied(alone) == ["a", "c"]
    assert above_best(alone)["b"] == above_best(groups)["b"]


def test_a_lucky_single_seed_does_not_hide_the_other_differences() -> None:
    groups = {"a": by_seed([0.5, 0.51, 0.49]), "b": by_seed([0.9, 0.91, 0.88]), "c": {0: 0.1}}
    assert lowest_mean(groups) == "a"
    assert tied(groups) == ["a", "c"]


def test_what_is_lower_on_the_shared_seeds_is_not_above_the_best() -> None:
    best = by_seed([0.9, 0.901, 0.899]) | {3: 0.1, 4: 0.1, 5: 0.1}
    groups = {"a": best, "b": by_seed([0.8, 0.8015, 0.7995])}
    assert lowest_mean(groups) == "a"
    found = above_best(groups)["b"]
    assert found.p < 0.05
    assert found.is_tied


def test_a_single_group_is_the_best() -> None:
    assert tied({"a": {0: 1.0}}) == ["a"]
