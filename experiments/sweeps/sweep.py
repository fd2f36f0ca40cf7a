"""A sweep: train every point of a grid of overrides."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from experiments.config.catalog import names, nearest
from experiments.config.compose import beside, config_file, is_file_name, load_yaml, validate
from experiments.console import plain, print_json
from experiments.errors import RunError, UsageError
from experiments.sweeps import slurm
from experiments.sweeps.clusters import check_cluster
from experiments.sweeps.grid import count_points, expand, grid_overrides
from experiments.sweeps.launcher import may_start, train_missing
from experiments.sweeps.points import Point, Result, check_can_start, make_points, read_results
from experiments.sweeps.time_estimate import estimate_time, in_words
from experiments.training.cores import allowed_cores
from rnn_graphs.config import Section

MOST = 1_000_000  # points, to fit into memory


class SweepConfig(Section):
    """The content of configs/sweep/NAME.yaml."""

    description: str
    experiment: str  # a name that `list` shows, or a YAML file beside the sweep's
    grid: dict[str, Any] = Field(min_length=1)

    @field_validator("grid")
    @classmethod
    def _every_key_has_values(cls, grid: dict[str, Any]) -> dict[str, Any]:
        for key, value in grid.items():
            if value == []:
                raise ValueError(f"{key}: expected a value or a list of values; got []")
        return grid


class Grid(NamedTuple):
    """An experiment, and overrides with the values to try."""

    experiment: str
    overrides: list[str]
    named: str  # the sweep as errors name it; empty for an experiment, which its own errors name

    def most_points(self) -> int:
        """An upper bound on the number of points. Raises UsageError, which names the sweep."""
        with _naming(self.named):
            return count_points(self.overrides)

    def points(self) -> list[Point]:
        """The points. Raises UsageError, which names the sweep."""
        with _naming(self.named):
            return make_points(self.experiment, expand(self.overrides))


@contextlib.contextmanager
def _naming(sweep: str) -> Iterator[None]:
    """Begin an error with the sweep, if there is one: its file has the key at fault."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{sweep}: {error}" if sweep else str(error)) from error


class Where(NamedTuple):
    """The workers that train a sweep."""

    cluster: str  # local, slurm, tcp://host:port, or a scheduler file
    workers: int | None


def sweep(
    name: str,
    overrides: Sequence[str],
    where: Where,
    conclude: Callable[[Sequence[Path]], None],
    yes: bool = False,
    data_changed: bool = False,
) -> None:
    """Train the incomplete points, and print a table of all points.

    `conclude` is called with the run directories of the complete points. Asks before starting
    many points, unless `yes`. `data_changed` allows points to continue on other data than they
    began on. Raises UsageError before anything starts, RunError if points failed, and Interrupted.
    """
    check_cluster(where.cluster, where.workers)
    if where.cluster == "slurm":
        slurm.check_programs()
    count = _read_grid(name, overrides).most_points()
    if not may_start(name, count, yes):
        return
    points = load_points(name, overrides, data_changed)
    results = train_missing(points, where.cluster, where.workers, data_changed)
    complete = [result.point.directory for result in results if result.status == "complete"]
    if complete:
        conclude(complete)
    lost = [result for result in results if result.status != "complete"]
    for result in lost:
        kind = "diverged" if result.status == "diverged" else "failed"
        print(plain(f"{kind}: {result.point.name}: {result.reason or result.status}"), flush=True)
    if lost:
        raise RunError(_what_is_lost(lost, len(results)))


def _what_is_lost(lost: Sequence[Result], total: int) -> str:
    """How many points are not complete, and what can be done about them."""
    failed = sum(result.needs_training for result in lost)
    parts = []
    if failed:
        parts.append(f"{failed} of {total} points failed; rerun the same command to retry them")
    if failed < len(lost):
        parts.append(
            f"{len(lost) - failed} of {total} points diverged, and would again; a lower "
            "optimizer.learning_rate or optimizer.clip_norm may help"
        )
    return "; ".join(parts)


def show(
    name: str,
    overrides: Sequence[str],
    where: Where,
    as_json: bool = False,
    data_changed: bool = False,
) -> None:
    """Print the points of a sweep, the estimated time and, for Slurm, the job script."""
    check_cluster(where.cluster, where.workers)
    results = read_results(load_points(name, overrides, data_changed), {})
    workers = _workers(where)
    estimate = estimate_time(results, workers)
    if as_json:
        points = [_as_dict(result) for result in results]
        print_json({"points": points, **estimate._asdict()})
        return
    for result in results:
        print(f"{result.status:11}  {plain(str(result.point.directory))}")
    print(in_words(estimate, len(results), workers))
    if where.cluster == "slurm":
        script = slurm.job_script("tls://SCHEDULER", "WORKER")
        print(f"\n{script}", end="")


def _as_dict(result: Result) -> dict[str, Any]:
    return {
        "run": str(result.point.directory), "overrides": result.point.overrides,
        "status": result.status, "loss": result.loss, "seconds_a_seed": result.seconds_a_seed,
    }  # fmt: skip


def _workers(where: Where) -> int | None:
    """The number of points trained at a time; None for a cluster that already runs."""
    known = where.cluster in ("local", "slurm")
    return (where.workers or allowed_cores()) if known else None


def load_points(
    name: str, overrides: Sequence[str], data_changed: bool = False
) -> list[Point]:  # fmt: skip
    """The checked points of a sweep, or of an experiment with the overrides as its grid.

    Raises UsageError for an invalid name, config or grid, and as `check_can_start` does.
    """
    grid = _read_grid(name, overrides)
    if (count := grid.most_points()) > MOST:
        raise UsageError(f"{name}: {count:,} points; expected at most {MOST:,}")
    points = grid.points()
    check_can_start(points, data_changed)
    return points


def _read_grid(name: str, overrides: Sequence[str]) -> Grid:
    """The grid of a sweep's file, or that of an experiment with overrides."""
    path = _sweep_file(name)
    content = load_yaml(path)
    if not {"grid", "experiment"} & content.keys():
        return Grid(name, list(overrides), named="")
    named = f"sweep {name}"
    found: SweepConfig = validate(SweepConfig, content, named)
    texts = grid_overrides(found.grid, overrides)
    return Grid(beside(path, found.experiment), texts, named)


def _sweep_file(name: str) -> Path:
    """The file of a sweep or of an experiment. Raises UsageError where there is none."""
    if is_file_name(name) or name in names("sweep"):
        return config_file("sweep", name)
    if name in names("experiment"):
        return config_file("experiment", name)
    close = nearest(name, [*names("sweep"), *names("experiment")])
    raise UsageError(f"sweep '{name}': neither a sweep nor an experiment{close}")
