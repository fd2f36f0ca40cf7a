"""A run, read from its directory: the one object for it, without a session or TensorFlow."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.config.schema import Config
from experiments.console import plain
from experiments.errors import UsageError
from experiments.runs.curves import Curves, curves, step_seconds
from experiments.runs.directory import RunDirectory
from experiments.runs.final_loss import FinalLoss, of_seed
from experiments.runs.metrics import MetricsRow, read_rows
from experiments.runs.onset import Onset, onsets
from experiments.statistics.intervals import Interval


@dataclass(frozen=True)
class Run:
    """The contents of a run directory, however far its run came."""

    label: str  # the run's name in its study; the path of its directory outside of a study
    directory: RunDirectory
    config: Config
    summary: dict[str, Any]  # empty until the run has written one

    @property
    def status(self) -> str:
        """The status in summary.json, "not started" without one."""
        return plain(str(self.summary.get("status", "not started")))

    @cached_property
    def rows(self) -> list[MetricsRow]:
        """All rows of metrics.csv, none before there is such a file."""
        path = self.directory.metrics
        if not path.exists():
            if self.status == "complete":
                raise UsageError(
                    f"{path}: no such file, although the run is complete; train it again with "
                    "--overwrite"
                )
            return []
        rows, rest = read_rows(path)
        if rest and self.status == "complete":  # others may be writing it now
            raise UsageError(f"{path}: the last line of a complete run has no end; a row is cut")
        return rows

    @cached_property
    def rows_by_seed(self) -> dict[int, list[MetricsRow]]:
        """Each seed's training rows, in the order of the seeds."""
        return self._rows_of("train")

    def _rows_of(self, split: str) -> dict[int, list[MetricsRow]]:
        found: dict[int, list[MetricsRow]] = {}
        for row in self.rows:
            if row.split == split:
                found.setdefault(row.seed, []).append(row)
        return dict(sorted(found.items()))

    @property
    def complete_seeds(self) -> set[int]:
        """The seeds that were trained to their end."""
        rows = self.rows_by_seed
        if self.status == "complete":
            return set(rows)
        if "seeds" in self.summary:
            return {int(seed) for seed, how in self.summary["seeds"].items() if how == "complete"}
        # A run that goes on, or was killed, has not said which. A seed that stopped early for want
        # of progress is not known from its rows.
        last = self.summary.get("total_updates", math.inf)
        return {seed for seed in rows if rows[seed][-1].updates >= last}

    @cached_property
    def curves(self) -> Curves:
        """The training curves of all seeds."""
        return curves(self.rows)

    @cached_property
    def finals(self) -> dict[int, FinalLoss]:
        """Each seed's final loss, with the updates that it is a mean of.

        From the summary; from the rows where the run has not ended, or was made by a version
        that kept no sums of losses.
        """
        found = {seed: of_seed(rows) for seed, rows in self.rows_by_seed.items()}
        kept, trained_of = self.summary.get("final_loss", {}), self.summary.get("updates", {})
        for seed, updates in kept.get("updates", {}).items():
            if seed not in trained_of and int(seed) not in found:
                raise UsageError(
                    f"{self.directory.summary}: updates: expected those of seed {seed}, which has "
                    "no row in metrics.csv"
                )
            trained = trained_of[seed] if seed in trained_of else found[int(seed)].trained
            found[int(seed)] = FinalLoss(kept["per_seed"][seed], updates, trained)
        return found

    @cached_property
    def seconds_a_seed(self) -> float | None:
        """Seconds of training, mean over the complete seeds; None if none is complete.

        From the summary of a complete run, so that a list of runs reads no rows.
        """
        if self.status == "complete" and self.seconds > 0 and self.summary.get("seeds"):
            return self.seconds / len(self.summary["seeds"])
        found = [self.rows_by_seed[seed][-1].seconds for seed in self.complete_seeds]
        return sum(found) / len(found) if found else None

    @property
    def final_losses(self) -> dict[int, float]:
        """Each seed's mean loss over the last tenth of training."""
        return {seed: final.loss for seed, final in self.finals.items()}

    @property
    def fresh_losses(self) -> dict[int, float]:
        """Each complete seed's loss on fresh data; none where the task has no such data."""
        kept = self.summary.get("fresh_loss") or {}
        return {int(seed): loss for seed, loss in kept.get("per_seed", {}).items()}

    @property
    def fresh_time_steps(self) -> dict[int, int]:
        """The symbols of fresh data that each seed was evaluated on."""
        kept = self.summary.get("fresh_loss") or {}
        return {int(seed): steps for seed, steps in kept.get("time_steps", {}).items()}

    @cached_property
    def validation_rows(self) -> dict[int, list[MetricsRow]]:
        """Each seed's validation rows, in the order of the seeds."""
        return self._rows_of("valid")

    @cached_property
    def final_loss(self) -> Interval:
        """The mean of the final losses with its 95 % interval, as tables show it."""
        from experiments.statistics.over_seeds import mean_over_seeds  # imports SciPy

        return mean_over_seeds([*self.final_losses.values()], self.floors)

    @property
    def least_validation_losses(self) -> list[float]:
        """Each seed's least validation loss."""
        found = self.summary.get("validation")
        return list(found["per_seed"].values()) if found else []

    @cached_property
    def onsets(self) -> dict[int, Onset]:
        """When each seed learned; where its training ended if it did not."""
        return onsets(self.rows, self.floors)

    @cached_property
    def step_seconds(self) -> dict[int, float]:
        """Each seed's seconds for a time step, between the two rows where it is least."""
        return step_seconds(self.rows)

    def require_rows(self) -> Run:
        """The run itself. Raises UsageError if it has logged nothing yet."""
        if not self.rows:
            raise UsageError(f"{self.directory.path}: nothing to read yet: metrics.csv has no row")
        return self

    def learned_seeds(self, lag: int) -> set[int]:
        """The seeds whose probe shows this lag learned."""
        return {
            probe["seed"]
            for probe in self.summary.get("probe", [])
            for effect in probe.get("effects", [])
            if effect["lag"] == lag and effect["learned"]
        }

    @property
    def effective_depth(self) -> int:
        """The most cell applications that an error reaches."""
        return self.config.truncation.effective_depth(self.config.graph.num_steps)

    @property
    def floors(self) -> dict[str, float]:
        """The task's exact entropy floors, nats per time step."""
        floors: dict[str, float] = self.summary.get("floors", {})
        return {plain(name): floor for name, floor in floors.items()}  # tables and figures show it

    @property
    def seconds(self) -> float:
        """Seconds of training, all seeds."""
        return float(self.summary.get("seconds", 0.0))

    @property
    def added_memory(self) -> int | None:
        """Bytes that building and training took at most, beyond what the process held before.

        None for a run of an earlier version, which has not measured it.
        """
        found = self.summary.get("memory")
        return found["peak"] - found["before"] if found else None


def read_run(path: str | os.PathLike[str], label: str | None = None) -> Run:
    """Read the run in a directory; it may have no row yet.

    Raises UsageError where the directory is no run directory or a file in it is damaged.
    """
    directory = RunDirectory(Path(path))
    name = plain(str(directory.path)) if label is None else label
    return Run(name, directory, directory.read_config(), directory.read_summary())
