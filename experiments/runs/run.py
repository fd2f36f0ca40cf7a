"""Finished runs, read from their directories; no session, no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.curves import Curves, curves, final_losses, paces
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsRow, read_metrics
from experiments.runs.onset import Onset, onsets
from experiments.statistics.intervals import Interval, mean_interval


@dataclass(frozen=True)
class Run:
    """What a run directory holds."""

    label: str
    directory: RunDirectory
    config: Config
    summary: dict[str, Any]

    @cached_property
    def rows(self) -> list[MetricsRow]:
        """All rows of metrics.csv."""
        return read_metrics(self.directory.metrics)

    @cached_property
    def curves(self) -> Curves:
        """The training curves of all seeds."""
        return curves(self.rows)

    @cached_property
    def final_losses(self) -> dict[int, float]:
        """Each seed's mean loss over the last tenth of training."""
        updates = max(row.updates for row in self.rows)
        return final_losses(self.rows, self.summary.get("total_updates", updates))

    @cached_property
    def final_loss(self) -> Interval:
        """Their mean with its 95 % interval."""
        return mean_interval(list(self.final_losses.values()))

    @property
    def least_validation_losses(self) -> list[float]:
        """Each seed's least validation loss."""
        found = self.summary.get("validation")
        return list(found["per_seed"].values()) if found else []

    @cached_property
    def onsets(self) -> dict[int, Onset]:
        """When each seed learned, or how far it came without."""
        return onsets(self.rows, self.floors)

    @cached_property
    def paces(self) -> dict[int, float]:
        """Each seed's seconds for a time step, where it was least disturbed."""
        return paces(self.rows)

    def count_learned(self, lag: int) -> int:
        """Seeds whose probe shows this lag learned."""
        effects = [effect for probe in self.summary["probe"] for effect in probe["effects"]]
        return sum(effect["learned"] for effect in effects if effect["lag"] == lag)

    @property
    def effective_depth(self) -> int:
        """The most cell applications that an error reaches."""
        return self.config.truncation.effective_depth(self.config.graph.num_steps)

    @property
    def floors(self) -> dict[str, float]:
        """The task's exact entropy floors, nats per time step."""
        floors: dict[str, float] = self.summary.get("floors", {})
        return floors

    @property
    def seconds(self) -> float:
        """Seconds of training, all seeds."""
        return float(self.summary.get("seconds", 0.0))


def read_run(directory: RunDirectory, label: str) -> Run:
    """Read a run that has at least one row. Raises UsageError where it has none."""
    run = Run(label, directory, directory.read_config(), directory.read_summary())
    if not directory.metrics.exists() or not run.rows:
        raise UsageError(f"{directory.path}: nothing to read yet: metrics.csv has no row")
    return run
