"""More seeds for a run that is there: each batch of seeds is a run directory of its own.

The batches of a run follow each other: seeds 0 to 9, 10 to 19, and so on. They are read as one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.config.compose import validate
from experiments.config.schema import Config
from experiments.errors import RunError
from experiments.reporting.claims import NotRun
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.final_loss import FinalLoss
from experiments.runs.metrics import MetricsRow
from experiments.runs.naming import directory_beside
from experiments.runs.run import Run
from experiments.sweeps.points import Point
from experiments.training.runner import default_directory

FIRST_SEED = "training.first_seed"


def batch_of(point: Point, index: int) -> Point:
    """The run with the next seeds; index 1 follows the point itself. Raises UsageError."""
    training = point.config.training
    first = training.first_seed + index * training.seeds
    content = point.config.as_dict()
    content["training"]["first_seed"] = first
    config: Config = validate(Config, content, f"run {point.name}")
    kept = [text for text in point.overrides if not text.startswith(f"{FIRST_SEED}=")]
    overrides = (*kept, f"{FIRST_SEED}={first}")
    name = f"{point.name}, seeds {first} to {first + training.seeds - 1}"
    return Point(name, overrides, config, _directory(point, config, overrides))


def _directory(point: Point, config: Config, overrides: Sequence[str]) -> Path:
    """As `train` names it; beside the point's directory where a user chose that one's name."""
    if point.directory == default_directory(point.config, point.overrides):
        return default_directory(config, overrides)
    return directory_beside(point.directory, overrides[-1])


@dataclass(frozen=True)
class BatchedRun(Run):
    """Several runs that differ in nothing but their seeds, as one."""

    parts: tuple[Run, ...] = ()

    @cached_property
    def rows(self) -> list[MetricsRow]:
        """All rows of all parts."""
        return [row for part in self.parts for row in part.rows]

    @cached_property
    def finals(self) -> dict[int, FinalLoss]:
        """Each seed's final loss, of all parts."""
        return {seed: final for part in self.parts for seed, final in part.finals.items()}


def parts_of(run: Run) -> Sequence[Run]:
    """The runs that a run is made of: itself, or its batches."""
    return run.parts if isinstance(run, BatchedRun) else [run]


def last_checkpoints(run: Run) -> Iterator[tuple[int, Checkpoint]]:
    """Each seed's last checkpoint, of all parts.

    Raises NotRun where a seed has none or it is damaged: without it the seeds that are left would
    decide.
    """
    for part in parts_of(run):
        for seed in part.config.seeds:
            yield seed, _last(part, seed)


def best_checkpoints(run: Run) -> Iterator[tuple[int, Checkpoint]]:
    """Each seed's best checkpoint, or its last where none is the best. Raises NotRun likewise."""
    for part in parts_of(run):
        for seed in part.config.seeds:
            try:
                best = checkpoints.best(part.directory.checkpoints, seed)
            except RunError as error:
                raise NotRun(f"run {run.label}: {error}") from error
            yield seed, best or _last(part, seed)


def _last(part: Run, seed: int) -> Checkpoint:
    found = checkpoints.newest(part.directory.checkpoints, seed)
    if found.unreadable:
        raise NotRun(
            f"run {part.label}: {found.unreadable[0]}: damaged, or no checkpoint of this program"
        )
    if found.checkpoint is None:
        raise NotRun(f"run {part.label}: no checkpoint of seed {seed}")
    return found.checkpoint


def as_one(parts: Sequence[Run]) -> Run:
    """The batches of one run, the first of which names it, as one run."""
    first = parts[0]
    if len(parts) == 1:
        return first
    seeds = sum(part.config.training.seeds for part in parts)
    training = first.config.training.model_copy(update={"seeds": seeds})
    config = first.config.model_copy(update={"training": training})
    return BatchedRun(first.label, first.directory, config, _summary(parts), tuple(parts))


def _summary(parts: Sequence[Run]) -> dict[str, Any]:
    """The first summary, with the results of all seeds."""
    found = [part.summary for part in parts]
    merged = dict(found[0])
    for key in ("seeds", "updates"):
        if key in merged:
            merged[key] = {seed: value for each in found for seed, value in each[key].items()}
    if merged.get("probe"):
        merged["probe"] = [probe for each in found for probe in each["probe"]]
    if merged.get("validation"):
        losses = [each["validation"]["per_seed"] for each in found]
        merged["validation"] = {"per_seed": {k: v for each in losses for k, v in each.items()}}
    return merged | {"seconds": sum(part.seconds for part in parts)}
