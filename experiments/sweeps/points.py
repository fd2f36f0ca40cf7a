"""Points (the runs of a sweep or a study) and their results."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.config.compose import load_configs
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.bulk import no_collection
from experiments.runs.directory import FINISHED, RunDirectory
from experiments.training.run_data import check_data
from experiments.training.runner import default_directory
from experiments.training.workload import make_workload

SETTING = re.compile(r",(?=[A-Za-z_][A-Za-z0-9_.]*=)")  # the comma before the next key=value


class Point(NamedTuple):
    """One run of a sweep or a study."""

    name: str
    overrides: tuple[str, ...]
    config: Config
    directory: Path


class Result(NamedTuple):
    """The state of a point, read from its run directory."""

    point: Point
    status: str  # as in summary.json; "missing" without one
    loss: float | None  # final, nats per time step, mean over seeds
    seconds: float  # of training, all seeds
    reason: str  # why it is not complete, if known

    @property
    def seconds_a_seed(self) -> float | None:
        """Seconds of training, mean over the seeds of a complete point; None where unknown."""
        is_known = self.status == "complete" and self.seconds > 0
        return self.seconds / self.point.config.training.seeds if is_known else None

    @property
    def needs_training(self) -> bool:
        """Whether the point is unfinished. A diverged point is finished; it would diverge again."""
        return self.status not in FINISHED


def make_points(experiment: str, variants: Sequence[Sequence[str]]) -> list[Point]:
    """A point for each set of overrides, in the directory that `train` would use.

    Sets that spell the same config differently are one point. Raises UsageError for an invalid
    config.
    """
    points: list[Point] = []
    made: dict[Path, list[Config]] = {}
    with no_collection():
        for given, config in zip(variants, load_configs(experiment, variants), strict=True):
            path = default_directory(config, given)
            if config not in made.setdefault(path, []):
                made[path].append(config)
                points.append(Point(path.name, tuple(given), config, path))
    return points


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each name without the settings that all of them have, as long as that tells them apart."""
    parts = {name: SETTING.split(name) for name in names}
    shared = set.intersection(*map(set, parts.values())) if len(parts) > 1 else set()
    short = {
        name: ",".join(part for part in found if part not in shared)
        for name, found in parts.items()
    }
    different = len(set(short.values())) == len(short) and all(short.values())
    return short if different else {name: name for name in names}


def check_can_start(points: Sequence[Point], data_changed: bool = False) -> None:
    """Check that every point can start. Writes nothing.

    Raises UsageError if the data do not fit a config, if a directory holds another run or one of
    other data (unless `data_changed`), or if two points have the same directory.
    """
    for path, count in Counter(point.directory for point in points).items():
        if count > 1:
            raise UsageError(f"run directory {path}: {count} points have this name")
    # The data are the same for all seeds.
    tasks = [(alike, make_workload(alike[0].config).task) for alike in _by_graph(points)]
    for point, task in ((point, task) for alike, task in tasks for point in alike):
        if point.directory.exists():
            directory = RunDirectory(point.directory)
            directory.check(point.config, overwrite=False)
            if not data_changed:
                check_data(directory, task)


def read_results(points: Iterable[Point], failures: Mapping[str, str]) -> list[Result]:
    """Read every point's result from its directory; `failures` gives reasons by name.

    A complete run counts, even if another command trained it.
    """
    return [_read(point, failures.get(point.name, "")) for point in points]


def _read(point: Point, reason: str) -> Result:
    summary = RunDirectory(point.directory).read_summary()
    status = str(summary.get("status", "missing"))
    if status == "running":  # its process died without writing another status
        status = "interrupted"
    if reason and status not in FINISHED:
        status = "failed"
    if status == "diverged":
        reason = "the loss or a weight was not finite"
    loss = summary.get("final_loss", {}).get("mean")
    reason = "" if status == "complete" else reason or str(summary.get("reason", ""))
    return Result(point, status, loss, float(summary.get("seconds", 0)), reason)


def share_graphs(points: Sequence[Point], workers: int) -> list[tuple[Point, ...]]:
    """Batches of points that differ only in their seeds. One process and one graph train a batch.

    If there are fewer batches than workers, they are split so that no worker is idle.
    """
    groups = _by_graph(points)
    parts = math.ceil(workers / len(groups)) if groups else 1
    return [part for group in groups for part in _cut(group, parts)]


def _by_graph(points: Iterable[Point]) -> list[list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        content = point.config.as_dict()
        del content["training"]["first_seed"]
        groups.setdefault(json.dumps(content), []).append(point)
    return list(groups.values())


def _cut(group: Sequence[Point], parts: int) -> list[tuple[Point, ...]]:
    size = math.ceil(len(group) / parts)
    return [tuple(group[first : first + size]) for first in range(0, len(group), size)]
