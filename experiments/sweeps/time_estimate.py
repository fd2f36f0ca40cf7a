"""The time that a sweep still needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from experiments.sweeps.points import Result


class TimeEstimate(NamedTuple):
    """The training time that a sweep still needs, without starting processes and building."""

    to_train: int  # points
    seconds_a_point: float | None  # all its seeds; None while no point is complete
    seconds: float | None  # of the whole; summed over workers if the cluster's size is unknown


def estimate_time(results: Sequence[Result], workers: int | None) -> TimeEstimate:
    """The time to train the rest, if each point takes as long as the complete ones on average.

    workers: points trained at a time; None if that is unknown.
    """
    missing = sum(result.needs_training for result in results)
    seconds = [result.seconds for result in results if result.status == "complete"]
    if not missing or not seconds:
        return TimeEstimate(missing, None, None if missing else 0.0)
    each = sum(seconds) / len(seconds)
    return TimeEstimate(missing, each, missing * each / min(workers or 1, missing))


def in_words(estimate: TimeEstimate, points: int, workers: int | None) -> str:
    """The estimate for a sweep of so many points, as a line."""
    head = f"{estimate.to_train} of {points} points to train"
    if not estimate.to_train:
        return f"{head}, nothing to do"
    if estimate.seconds is None:
        return f"{head}, estimated time unknown: no point is complete yet"
    if workers is None:
        return f"{head}, estimated time {estimate.seconds:.0f} s of training over all workers"
    return (
        f"{head}, estimated time {estimate.seconds:.0f} s of training "
        f"on {workers} workers, {estimate.seconds_a_point:.1f} s a point"
    )
