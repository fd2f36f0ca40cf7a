"""Train the points that are missing, and tell of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.errors import Interrupted
from experiments.interrupts import StopRequest, stop_request
from experiments.sweeps.clusters import open_cluster
from experiments.sweeps.display import print_table, watch
from experiments.sweeps.points import Point, Result, read_results


def train_missing(points: Sequence[Point], where: str, workers: int | None) -> list[Result]:
    """Train what is not there yet, and print a table of all points. Returns their results.

    Raises Interrupted, after the table, when asked to stop: what was under way has written its
    checkpoints. Asked twice, it does not wait for them.
    """
    failures: dict[str, str] = {}
    with stop_request() as stop:
        try:
            missing = [each.point for each in read_results(points, {}) if each.needs_training]
            print(f"{len(points)} points, {len(points) - len(missing)} there already", flush=True)
            if missing:  # else there is no need to start anything
                failures = _train(missing, where, workers, stop)
        except KeyboardInterrupt:
            stop.request()
        results = read_results(points, failures)
        print_table(results)
        if stop.requested:
            done = sum(not result.needs_training for result in results)
            raise Interrupted(
                f"stopped with {done} of {len(points)} points done; the same command goes on"
            )
    return results


def _train(
    points: Sequence[Point], where: str, workers: int | None, stop: StopRequest
) -> dict[str, str]:
    """The reasons of the points that failed, by name."""
    from experiments.sweeps.dispatch import train_on  # Dask takes a second to import

    if stop.requested:
        return {}
    folder = Path.cwd() / points[0].directory.parent / "slurm"
    with (
        watch(len(points)) as shown,
        open_cluster(where, workers, len(points), folder, shown.say) as cluster,
    ):
        return train_on(cluster, points, shown, stop)
