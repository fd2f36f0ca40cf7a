"""Rows of metrics.csv, made of the updates as they are trained."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from experiments.config.schema import Config
from experiments.runs.checkpoints import Position
from experiments.runs.final_loss import LossSums
from experiments.runs.metrics import MetricsRow
from experiments.training.loop import Chunk
from rnn_graphs.metrics import texts_of, values_of


class RowAccumulator:
    """Counts updates into a seed's position; a row is the mean of each `logging.every` of them.

    Updates that are not yet in a row are `position.pending`, which checkpoints hold. `ends` are
    the numbers of updates at which the seed may end: its final loss needs to know them.
    """

    def __init__(self, config: Config, position: Position, ends: Iterable[int]) -> None:
        self._config = config
        self._position = position
        self._sums = LossSums(ends)

    def add(self, chunk: Chunk) -> list[MetricsRow]:
        """Count the updates of a chunk. Returns the rows that they complete."""
        position, rows = self._position, []
        self._sums.add(position, chunk.metrics["loss"])
        for index in range(chunk.updates):
            position.updates += 1
            position.seconds += chunk.seconds_each
            for name, values in chunk.metrics.items():
                position.pending.setdefault(name, []).append(values[index])
            if len(position.pending["loss"]) == self._config.logging.every:
                rows.append(self._train_row(chunk.epoch))
        return rows

    def flush(self, epoch: int) -> list[MetricsRow]:
        """The row of the updates left over at the end of a seed; none where none are left."""
        return [self._train_row(epoch)] if self._position.pending.get("loss") else []

    def row(self, epoch: int, split: str, metrics: dict[str, float]) -> MetricsRow:
        """Metrics of a split, at this point of the training."""
        position, graph = self._position, self._config.graph
        time_steps = position.updates * graph.num_steps * graph.batch_size
        loss = metrics["loss"]
        return MetricsRow(
            position.seed, epoch, position.updates, time_steps, position.seconds, split, loss,
            values_of(self._config.logging.metrics, loss, metrics),
        )  # fmt: skip

    def _train_row(self, epoch: int) -> MetricsRow:
        means = {name: float(np.mean(values)) for name, values in self._position.pending.items()}
        self._position.pending.clear()
        return self.row(epoch, "train", means)


def describe(row: MetricsRow) -> str:
    """The row's split with its loss and other metrics."""
    return ", ".join([f"{row.split} loss {row.loss:.4f}", *texts_of(row.metrics)])
