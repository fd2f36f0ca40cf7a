"""Train the seeds of a run, one after the other, on one graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows, cut_into_rows
from data.streams import StreamState, state_of, stream_at, training_stream
from data.task import Task
from experiments import checkpoints
from experiments.checkpoints import Checkpoint, Position
from experiments.config import Config
from experiments.errors import Interrupted
from experiments.events import Events
from experiments.execution import total_updates
from experiments.interrupts import StopRequest
from experiments.metrics import MetricsFile, Row
from experiments.progress import Progress
from experiments.run_directory import RunDirectory
from experiments.session import TrainingSession


class Chunk(NamedTuple):
    """What one session.run trains on."""

    first: int  # window of the epoch
    size: int  # windows
    ends_epoch: bool


class SeedTraining:
    """One seed from where its checkpoint stands to its end."""

    def __init__(
        self,
        config: Config,
        task: Task,
        directory: RunDirectory,
        session: TrainingSession,
        progress: Progress,
        stop: StopRequest,
    ) -> None:
        self._config = config
        self._task = task
        self._directory = directory
        self._session = session
        self._progress = progress
        self._stop = stop
        self._metrics = MetricsFile(directory.metrics)
        self._total = total_updates(config)
        self._windows = self._total // config.training.epochs

    def start(self, seed: int) -> Checkpoint:
        """A seed at its beginning."""
        self._session.initialize(seed)
        position = Position(seed, metrics_bytes=self._metrics.size())
        return Checkpoint(position, state_of(training_stream(seed)), {})

    def restore(self, checkpoint: Checkpoint) -> Checkpoint:
        """A seed as its checkpoint left it. Raises ValueError where it is not of this graph."""
        self._session.restore(checkpoint.variables)
        return checkpoint

    def run(self, start: Checkpoint) -> Position:
        """Train to the end of the seed, or until its loss is not finite.

        Raises Interrupted, with the checkpoint written, when asked to stop.
        """
        position = replace(start.position, pending=list(start.position.pending))
        events = self._open_events(position)
        try:
            stream = stream_at(start.stream)
            saved = time.monotonic()
            while position.status == "running":
                epoch_start = state_of(stream)
                if position.window == 0:
                    self._session.reset_state()
                sequence = self._task.draw(stream)
                rows = cut_into_rows(*sequence, self._config.graph.batch_size)
                for chunk in self._chunks(position.window):
                    self._train(position, rows, chunk, events)
                    if chunk.ends_epoch:
                        epoch_start = state_of(stream)
                    if position.status != "running":
                        break
                    now = time.monotonic()
                    if (
                        self._stop.requested
                        or now - saved >= self._config.logging.checkpoint_seconds
                    ):
                        self._save(position, epoch_start)
                        saved = now
                    if self._stop.requested:
                        raise Interrupted(
                            f"stopped at seed {position.seed}, update {position.updates}"
                        )
            self._save(position, epoch_start)
        finally:
            if events:
                events.close()
        return position

    def _chunks(self, first: int) -> Iterator[Chunk]:
        """The windows of an epoch from `first` on, as many a session.run as the graph takes."""
        while first < self._windows:
            count = min(self._session.iterations, self._windows - first)
            yield Chunk(first, count, first + count == self._windows)
            first += count

    def _train(self, position: Position, rows: Rows, chunk: Chunk, events: Events | None) -> None:
        """One session.run; moves the position and writes the rows that are full."""
        config = self._config
        began = time.perf_counter()
        context = config.truncation.context_steps
        windows = rows.windows(chunk.first, chunk.size, config.graph.num_steps, context)
        losses = self._session.train(windows, chunk.size)
        seconds_each = (time.perf_counter() - began) / chunk.size
        finite = losses[: _count_finite(losses)]
        epoch = position.epoch + 1
        position.window += chunk.size
        if chunk.ends_epoch:
            position.epoch, position.window = epoch, 0
        if len(finite) < chunk.size:
            position.status = "diverged"
        elif position.epoch == config.training.epochs:
            position.status = "complete"
        written = self._take(position, finite, seconds_each, epoch)
        self._metrics.append(written)
        position.metrics_bytes = self._metrics.size()
        if events:
            events.write(written)
        loss = float(finite[-1]) if len(finite) else float("nan")
        self._progress.advance(f"seed {position.seed}", position.updates, self._total, loss)

    def _take(
        self, position: Position, losses: NDArray[np.floating[Any]], seconds_each: float, epoch: int
    ) -> list[Row]:
        """Count the losses in; a row for each full group, and for the rest at the seed's end."""
        rows = []
        for loss in losses:
            position.updates += 1
            position.seconds += seconds_each
            position.pending.append(float(loss))
            if len(position.pending) == self._config.logging.every:
                rows.append(self._row(position, epoch))
        if position.pending and position.status != "running":
            rows.append(self._row(position, epoch))
        return rows

    def _row(self, position: Position, epoch: int) -> Row:
        graph = self._config.graph
        time_steps = position.updates * graph.num_steps * graph.batch_size
        loss = float(np.mean(position.pending))
        position.pending.clear()
        return Row(
            position.seed, epoch, position.updates, time_steps, position.seconds, "train", loss
        )

    def _save(self, position: Position, epoch_start: StreamState) -> None:
        variables = self._session.variables()
        checkpoints.save(self._directory.checkpoints, Checkpoint(position, epoch_start, variables))

    def _open_events(self, position: Position) -> Events | None:
        if not self._config.logging.tensorboard:
            return None
        return Events(self._directory.events, position.seed, position.updates)


def _count_finite(losses: NDArray[np.floating[Any]]) -> int:
    """How many losses come before the first that is not finite."""
    broken = np.flatnonzero(~np.isfinite(losses))
    return int(broken[0]) if len(broken) else len(losses)
