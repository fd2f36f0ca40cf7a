"""experiments/sweeps/time_estimate.py: the time for the rest, from the points that are complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config.compose import load_config
from experiments.sweeps.points import Point, Result
from experiments.sweeps.time_estimate import TimeEstimate, estimate_time, in_words

POINT = Point("a", (), load_config("r2rt_n5"), Path("a"))
COMPLETE = [Result(POINT, "complete", 0.5, seconds, "") for seconds in (10.0, 20.0)]
MISSING = Result(POINT, "missing", None, 0, "")


@pytest.mark.parametrize(
    ("workers", "seconds", "text"),
    [
        (1, 45, "45 s of training on 1 workers, 15.0 s a point"),
        (2, 22.5, "22 s of training on 2 workers, 15.0 s a point"),
        (8, 15, "15 s of training on 8 workers, 15.0 s a point"),  # more than points
        (None, 45, "45 s of training over all workers"),
    ],
)
def test_each_point_takes_the_mean_of_the_complete_ones(
    workers: int | None, seconds: float, text: str
) -> None:
    estimate = estimate_time([*COMPLETE, *[MISSING] * 3], workers)
    assert estimate == TimeEstimate(3, 15, seconds)
    assert in_words(estimate, 5, workers) == f"3 of 5 points to train, estimated time {text}"


def test_without_a_complete_point_it_is_unknown() -> None:
    estimate = estimate_time([MISSING], 2)
    assert estimate == TimeEstimate(1, None, None)
    assert in_words(estimate, 1, 2).endswith("time unknown: no point is complete yet")


def test_with_all_points_complete_it_is_zero() -> None:
    estimate = estimate_time(COMPLETE, 2)
    assert estimate == TimeEstimate(0, None, 0)
    assert in_words(estimate, 2, 2) == "0 of 2 points to train, nothing to do"
