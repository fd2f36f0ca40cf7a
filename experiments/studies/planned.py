"""A study's runs before they are trained: what their configs and tasks will give."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from experiments.config.catalog import nearest
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.statistics.floors import middle
from experiments.training.workload import Workload, make_workload


@dataclass(frozen=True)
class PlannedRun:
    """One run to be. Each `need_` method raises ValueError for what the run will not have.

    What depends on a task whose files are not there is not checked.
    """

    name: str
    config: Config

    @cached_property
    def workload(self) -> Workload | None:
        """The task and its updates; None where the task cannot be made."""
        try:
            return make_workload(self.config)
        except UsageError:
            return None

    @property
    def effective_depth(self) -> int:
        """The most cell applications that an error reaches."""
        return self.config.truncation.effective_depth(self.config.graph.num_steps)

    def need_floor(self, known: str) -> None:
        """A reference loss of the task must have this name."""
        if not self.workload:
            return
        floors = self.workload.task.floors()
        if known not in floors:
            there = ", ".join(floors) or "none"
            raise ValueError(
                f"known: expected one of the floors of run {self.name}, {there}; got {known}"
                f"{nearest(known, floors)}"
            )

    def need_onset(self) -> None:
        """The task must have two floors: a seed has learned below the middle of them."""
        if self.workload and middle(self.workload.task.floors()) is None:
            raise ValueError(f"run {self.name}: its task has no two floors to learn between")

    def need_lags(self, lags: Iterable[int]) -> None:
        """The task must depend on inputs of these lags, which the probe asks for."""
        there = self.config.task.dependency_lags
        for lag in lags:
            if lag not in there:
                known = ", ".join(map(str, there)) or "none"
                raise ValueError(f"expected a lag of run {self.name}, {known}; got {lag}")

    def need_validation(self, by: int | None = None) -> None:
        """The run must have validation losses, the first after at most `by` updates."""
        every = self.config.training.validate_every
        if every is None:
            raise ValueError(
                f"run {self.name}: without training.validate_every it has no validation loss"
            )
        if by is not None and self.workload and by < every * self.workload.updates_per_epoch:
            raise ValueError(
                f"updates: run {self.name} is validated first after "
                f"{every * self.workload.updates_per_epoch:,} updates; got {by:,}"
            )

    def need_spread(self) -> None:
        """The run must have several seeds."""
        if len(self.config.seeds) < 2:
            raise ValueError(
                f"run {self.name}: one seed shows no spread; set training.seeds to 2 or more"
            )

    def need_row_at(self, update: int) -> None:
        """metrics.csv must have a row that ends at this update."""
        if not self.workload:
            return
        updates = self.workload.updates
        if update != updates and (update % self.config.logging.every or update > updates):
            raise self._has_no_row(f"at update {update}")

    def need_rows(self, first: int, last: int) -> None:
        """metrics.csv must have a row whose updates all lie within [first, last]."""
        if not self.workload:
            return
        every, updates = self.config.logging.every, self.workload.updates
        before = math.ceil((first - 1) / every) * every  # the updates before the first such row
        if before >= updates or min(before + every, updates) > last:
            raise self._has_no_row(f"within updates {first} to {last}")

    def need_late_rows(self, least: int) -> None:
        """metrics.csv must have so many whole rows in the second half of training."""
        if not self.workload:
            return
        whole = self.workload.updates // self.config.logging.every
        late = whole - whole // 2
        if late < least:
            raise ValueError(
                f"run {self.name}: expected {least} rows of {self.config.logging.every} updates or "
                f"more in the second half of training; it has {late}"
            )

    def _has_no_row(self, place: str) -> ValueError:
        assert self.workload is not None
        return ValueError(
            f"run {self.name}: expected a row of metrics.csv {place}; rows end every "
            f"{self.config.logging.every} updates (logging.every) and at the last update, "
            f"{self.workload.updates}"
        )
