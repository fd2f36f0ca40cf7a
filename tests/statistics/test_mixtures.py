"""Losses with two modes: coverage by simulation, Student's t beside."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import estimates
from experiments.statistics.mixtures import Mixture, mixture
from tests.statistics.rates import about, covers, ends, rate

LEARNED, OTHERS, THRESHOLD = 0.52, 0.65, 0.59
LOWEST, HIGHEST = 0.4544, 0.6616


def losses(chance: float, seeds: int, studies: int = 1500) -> list[list[float]]:
    rng = np.random.default_rng(0)
    means = np.where(rng.random([studies, seeds]) < chance, LEARNED, OTHERS)
    return (means + rng.normal(0, 0.002, means.shape)).tolist()  # type: ignore[no-any-return]


def split(values: list[float]) -> Mixture:
    return mixture(values, THRESHOLD, LOWEST, HIGHEST)


@pytest.mark.parametrize("seeds", [4, 6, 10])
def test_students_t_misses_the_mean_in_a_third_to_two_thirds_of_studies(seeds: int) -> None:
    truth = 0.9 * LEARNED + 0.1 * OTHERS
    intervals = [estimates.interval(estimates.mean(values)) for values in losses(0.9, seeds)]
    assert 0.3 < rate(covers(interval, truth) for interval in intervals) < 0.7


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("seeds", [4, 6, 10])
def test_the_mean_of_all_is_covered(seeds: int, chance: float) -> None:
    truth = chance * LEARNED + (1 - chance) * OTHERS
    covered = [covers(split(values).mean, truth) for values in losses(chance, seeds)]
    assert rate(covered) > 0.94


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
def test_either_mode_is_covered(chance: float) -> None:
    found = [split(values) for values in losses(chance, 8)]
    several = [each for each in found if each.share.mean * 8 > 1 and each.learned]
    assert about(0.95, [covers(each.learned, LEARNED) for each in several if each.learned])
    several = [each for each in found if (1 - each.share.mean) * 8 > 1 and each.others]
    assert about(0.95, [covers(each.others, OTHERS) for each in several if each.others])


def test_the_parts_are_their_own_intervals() -> None:
    low, high = [0.52, 0.521, 0.519, 0.524], [0.65, 0.648]
    found = split([*low, *high])
    assert found.mean.mean == pytest.approx(np.mean([*low, *high]))
    wilson = stats.binomtest(4, 6).proportion_ci(method="wilson")
    assert ends(found.share) == pytest.approx([wilson.low, wilson.high])
    for part, values in ((found.learned, low), (found.others, high)):
        assert part is not None
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        expected_ends = np.clip(
            expected, *((LOWEST, THRESHOLD) if part.mean < THRESHOLD else (THRESHOLD, HIGHEST))
        )
        assert ends(part) == pytest.approx(expected_ends)


def test_a_single_seed_may_be_anywhere_on_its_side() -> None:
    found = split([0.52, 0.521, 0.519, 0.65])
    assert found.others == (0.65, THRESHOLD, HIGHEST)


def test_where_all_learned_one_that_does_not_is_still_possible() -> None:
    found = split([0.52, 0.521, 0.519])
    assert found.others is None
    assert found.mean.mean == pytest.approx(0.52)
    assert ends(found.mean)[1] > 0.59
    found = split([0.65, 0.651, 0.649])
    assert found.learned is None
    assert ends(found.mean)[0] < 0.59


@pytest.mark.parametrize("chance", [0, 0.5, 0.9, 1])
def test_no_interval_leaves_the_possible_range(chance: float) -> None:
    for values in losses(chance, 3, studies=300):
        found = split(values)
        assert 0 <= ends(found.share)[0] <= ends(found.share)[1] <= 1
        for part in (found.learned, found.others, found.mean):
            if part is not None:
                low, high = ends(part)
                assert LOWEST <= low <= part.mean <= high <= HIGHEST


def test_a_loss_beyond_the_floor_by_noise_moves_the_end() -> None:
    found = mixture([0.4543, 0.4545], THRESHOLD, LOWEST, HIGHEST)
    assert found.learned is not None
    assert ends(found.learned)[0] == 0.4543
