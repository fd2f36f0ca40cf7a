"""Train the seeds of a run, one after the other, on one graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows, cut_into_rows
from data.streams import StreamState, state_of, stream_at, training_stream
from experiments.config.schema import Config
from experiments.errors import Interrupted
from experiments.interrupts import StopRequest
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint, Position
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow
from experiments.training.evaluate import Evaluated
from experiments.training.progress import Progress
from experiments.training.session import TrainingSession
from experiments.training.tensorboard import Events
from experiments.training.workload import VALIDATION, Workload
from rnn_graphs.metrics import texts_of, values_of

Validate = Callable[[dict[str, NDArray[Any]]], Evaluated]  # of a graph's variables


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
        workload: Workload,
        directory: RunDirectory,
        session: TrainingSession,
        progress: Progress,
        stop: StopRequest,
        validate: Validate | None,
    ) -> None:
        self._config = config
        self._task = workload.task
        self._validate = validate
        self._directory = directory
        self._session = session
        self._progress = progress
        self._stop = stop
        self._metrics = MetricsFile(directory.metrics)
        self._total = workload.updates
        self._windows = workload.updates_per_epoch

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
        pending = {name: list(values) for name, values in start.position.pending.items()}
        position = replace(start.position, pending=pending)
        events = self._open_events(position)
        try:
            stream = stream_at(start.stream)
            saved = time.monotonic()
            while position.status == "running":
                epoch_start = state_of(stream)
                if position.window == 0:
                    self._session.reset_state()
                rows = cut_into_rows(self._task.draw(stream), self._config.graph.batch_size)
                for chunk in self._chunks(position.window):
                    self._train(position, rows, chunk, events)
                    if chunk.ends_epoch:
                        epoch_start = state_of(stream)
                        self._end_epoch(position, epoch_start, events)
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
        measured = self._session.train(windows, chunk.size)
        seconds_each = (time.perf_counter() - began) / chunk.size
        count = _count_finite(measured["loss"])
        epoch = position.epoch + 1
        position.window += chunk.size
        if chunk.ends_epoch:
            position.epoch, position.window = epoch, 0
        if count < chunk.size:
            position.status = "diverged"
        elif position.epoch == config.training.epochs:
            position.status = "complete"
        finite = {name: values[:count].tolist() for name, values in measured.items()}
        self._write(position, self._take(position, finite, count, seconds_each, epoch), events)
        loss = finite["loss"][-1] if count else float("nan")
        self._progress.advance(f"seed {position.seed}", position.updates, self._total, loss)

    def _take(
        self,
        position: Position,
        measured: dict[str, list[float]],
        count: int,
        seconds_each: float,
        epoch: int,
    ) -> list[MetricsRow]:
        """Count the updates in; a row for each full group, and for the rest at the seed's end."""
        rows = []
        for index in range(count):
            position.updates += 1
            position.seconds += seconds_each
            for name, values in measured.items():
                position.pending.setdefault(name, []).append(values[index])
            if len(position.pending["loss"]) == self._config.logging.every:
                rows.append(self._row(position, epoch))
        if position.pending.get("loss") and position.status != "running":
            rows.append(self._row(position, epoch))
        return rows

    def _row(self, position: Position, epoch: int) -> MetricsRow:
        means = {name: float(np.mean(values)) for name, values in position.pending.items()}
        position.pending.clear()
        return self._as_row(position, epoch, "train", means)

    def _as_row(
        self, position: Position, epoch: int, split: str, measured: dict[str, float]
    ) -> MetricsRow:  # fmt: skip
        graph, names = self._config.graph, self._config.logging.metrics
        time_steps = position.updates * graph.num_steps * graph.batch_size
        loss = measured["loss"]
        return MetricsRow(
            position.seed, epoch, position.updates, time_steps, position.seconds, split, loss,
            values_of(names, loss, measured),
        )  # fmt: skip

    def _write(self, position: Position, rows: list[MetricsRow], events: Events | None) -> None:
        self._metrics.append(rows)
        position.metrics_bytes = self._metrics.size()
        if events:
            events.write(rows)

    def _end_epoch(
        self, position: Position, epoch_start: StreamState, events: Events | None
    ) -> None:
        """Validate where it is due; keep the best model, stop a seed that gets no better."""
        every, patience = self._config.training.validate_every, self._config.training.patience
        if not self._validate or not every or position.status == "diverged":
            return
        if position.epoch % every and position.status != "complete":
            return
        variables = self._session.variables()
        found = self._validate(variables)
        measured = {"loss": found.loss, **found.metrics}
        row = self._as_row(position, position.epoch, VALIDATION, measured)
        self._progress.say(f"seed {position.seed}, epoch {position.epoch}: {describe(row)}")
        position.stale += 1
        if position.best_loss is None or found.loss < position.best_loss:
            position.best_loss, position.stale = found.loss, 0
        if patience is not None and position.stale >= patience:
            position.status = "complete"
            rest = [self._row(position, position.epoch)] if position.pending.get("loss") else []
            self._write(position, rest, events)
        self._write(position, [row], events)
        if position.stale == 0:
            checkpoint = Checkpoint(position, epoch_start, variables)
            checkpoints.save_best(self._directory.checkpoints, checkpoint)

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


def describe(row: MetricsRow) -> str:
    """The row's split with its loss and its metrics."""
    return ", ".join([f"{row.split} loss {row.loss:.4f}", *texts_of(row.metrics)])
