"""experiments/statistics/parts.py: claims of several parts and of alternatives."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from experiments.statistics import shares
from experiments.statistics.parts import Judge, all_of, any_of
from tests.statistics.rates import at_most


def share(count: int, total: int = 10) -> Judge:
    """At least half of the seeds: 9 of 10 has p = 0.0107, 8 of 10 p = 0.055."""
    return partial(shares.at_least, count, total, 0.5)


@pytest.mark.parametrize(
    ("counts", "verdict", "p"),
    [
        ([10, 9], "holds", 11 / 1024),  # the weaker part decides
        ([10, 6], "undecided", 1),
        ([10, 0], "fails", 2 / 1024),  # one part of two: twice its p
        ([9, 1], "fails", 22 / 1024),
        ([6, 6], "undecided", 1),
    ],
)
def test_all_parts_must_hold(counts: list[int], verdict: str, p: float) -> None:
    found = all_of([share(count) for count in counts])(0.05)
    assert found.verdict == verdict
    assert found.p == pytest.approx(p)
    mirrored = {"holds": "fails", "fails": "holds", "undecided": "undecided"}
    found = any_of([share(10 - count) for count in counts])(0.05)
    assert found.verdict == mirrored[verdict]
    assert found.p == pytest.approx(p)


def test_many_parts_share_the_level_of_a_failure() -> None:
    assert all_of([share(1)])(0.05).verdict == "fails"
    assert all_of([share(1), *[share(10)] * 5])(0.05).verdict == "undecided"  # 6 · 0.0107 > 0.05


def test_parts_may_be_made_of_parts() -> None:
    assert all_of([any_of([share(0), share(10)]), share(10)])(0.05).verdict == "holds"


def test_one_true_claim_of_many_parts_rarely_fails() -> None:
    random = np.random.default_rng(0)
    counts = random.binomial(20, 0.5, (1000, 8))
    found = [all_of([share(int(n), 20) for n in row])(0.05) for row in counts]
    assert at_most(0.05, [each.verdict == "fails" for each in found])
    assert at_most(0.05, [each.verdict == "holds" for each in found])
