"""A sweep: train every point of a grid of overrides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from experiments.config.catalog import names, nearest, path_of
from experiments.config.compose import load_yaml, validate
from experiments.console import plain
from experiments.errors import RunError, UsageError
from experiments.sweeps import slurm
from experiments.sweeps.clusters import allowed_cores, check_cluster
from experiments.sweeps.grid import expand, grid_overrides
from experiments.sweeps.launcher import train_missing
from experiments.sweeps.points import Point, Result, check, make_points, read_results
from rnn_graphs.config import Section


class SweepConfig(Section):
    """configs/sweep/NAME.yaml."""

    description: str
    experiment: str
    grid: dict[str, Any] = Field(min_length=1)


class Where(NamedTuple):
    """The workers that train a sweep."""

    cluster: str  # local, slurm, tcp://host:port, or a scheduler file
    workers: int | None


def sweep(
    name: str, overrides: Sequence[str], where: Where, conclude: Callable[[Sequence[Path]], None]
) -> None:
    """Train the points that are not complete, and print a table of all.

    `conclude` gets the run directories of the complete points. Raises UsageError before
    anything starts, RunError if points failed, and Interrupted.
    """
    check_cluster(where.cluster, where.workers)
    points = load_points(name, overrides)
    results = train_missing(points, where.cluster, where.workers)
    complete = [result.point.directory for result in results if result.status == "complete"]
    if complete:
        conclude(complete)
    failed = [result for result in results if result.status != "complete"]
    for result in failed:
        print(plain(f"failed: {result.point.name}: {result.reason or result.status}"), flush=True)
    if failed:
        raise RunError(
            f"{len(failed)} of {len(results)} points failed; rerun the same command to retry them"
        )


def show(name: str, overrides: Sequence[str], where: Where) -> None:
    """Print the points of a sweep, the estimated time and, for Slurm, the job script."""
    check_cluster(where.cluster, where.workers)
    results = read_results(load_points(name, overrides), {})
    for result in results:
        print(f"{result.status:11}  {plain(str(result.point.directory))}")
    print(estimate(results, where))
    if where.cluster == "slurm":
        script = slurm.job_script("tls://SCHEDULER", "WORKER")
        print(f"\n{script}", end="")


def estimate(results: Sequence[Result], where: Where) -> str:
    """The time to train the rest, if each point takes as long as the complete ones on average.

    Only training counts, not the start of processes nor the building of graphs.
    """
    missing = sum(result.needs_training for result in results)
    seconds = [result.seconds for result in results if result.status == "complete"]
    head = f"{missing} of {len(results)} points to train"
    if not missing:
        return f"{head}, nothing to do"
    if not seconds:
        return f"{head}, estimated time unknown: no point is complete yet"
    each = sum(seconds) / len(seconds)
    if where.cluster not in ("local", "slurm"):
        return f"{head}, estimated time {missing * each:.0f} s of training over all workers"
    workers = where.workers or allowed_cores()
    return (
        f"{head}, estimated time {missing * each / min(workers, missing):.0f} s of training "
        f"on {workers} workers, {each:.1f} s a point"
    )


def load_points(name: str, overrides: Sequence[str]) -> list[Point]:
    """The points of a sweep, or of an experiment with the overrides as the grid, all checked.

    Raises UsageError.
    """
    content = _read_sweep(name)
    if content is not None:
        found: SweepConfig = validate(SweepConfig, content, f"sweep {name}")
        experiment, texts = found.experiment, grid_overrides(found.grid, overrides)
    else:
        experiment, texts = name, list(overrides)
    points = make_points(experiment, expand(texts))
    check(points)
    return points


def _read_sweep(name: str) -> dict[str, Any] | None:
    """The content of a sweep's file, or None for an experiment."""
    if name.endswith((".yaml", ".yml")):
        content = load_yaml(Path(name))
        return content if "grid" in content else None
    if path_of("sweep", name).is_file():
        return load_yaml(path_of("sweep", name))
    known = names("experiment")
    if name not in known:
        close = nearest(name, [*names("sweep"), *known])
        raise UsageError(f"sweep '{name}': neither a sweep nor an experiment{close}")
    return None
