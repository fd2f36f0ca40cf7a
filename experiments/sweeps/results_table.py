"""The table at the end of a sweep."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.console import print_table
from experiments.sweeps.points import Result, short_names


def print_results(results: Sequence[Result]) -> None:
    """A table of the points: status, final loss and seconds of training a seed.

    Points are named by the settings in which they differ.
    """
    labels = short_names([result.point.name for result in results])
    rows = [
        [
            labels[result.point.name],
            result.status,
            "" if result.loss is None else f"{result.loss:.4f}",
            "" if result.seconds_a_seed is None else f"{result.seconds_a_seed:.1f}",
        ]
        for result in results
    ]
    print_table(["point", "status", "loss", "seconds a seed"], rows)
