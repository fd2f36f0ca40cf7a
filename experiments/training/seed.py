"""Train a seed: the loop joined with metrics, validation, checkpoints and progress."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from data.streams import StreamState
from data.task import VALIDATION
from experiments.config.schema import Config
from experiments.errors import Interrupted, RunError
from experiments.interrupts import Stop
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint, Position
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow, digest
from experiments.training.adaptive import DepthChooser
from experiments.training.loop import Chunk, Place, TrainingLoop
from experiments.training.progress import SeedsProgress
from experiments.training.rows import RowAccumulator, describe
from experiments.training.session import TrainingSession
from experiments.training.tensorboard import Events, open_events
from experiments.training.validation import Validation, possible_ends
from experiments.training.workload import Workload

BETWEEN_SAVES = 10  # times as long as the latest took, at least: large ones would take all the time


class SeedTraining:
    """Trains seeds of a run, one after the other, on one session."""

    def __init__(
        self,
        config: Config,
        workload: Workload,
        directory: RunDirectory,
        metrics: MetricsFile,
        session: TrainingSession,
        progress: SeedsProgress,
        stop: Stop,
        validation: Validation | None,
        chooser: DepthChooser | None,
    ) -> None:
        self._config = config
        self._directory = directory
        self._metrics = metrics
        self._session = session
        self._progress = progress
        self._stop = stop
        self._validation = validation
        self._loop = TrainingLoop(config, workload, session, chooser)
        self._ends = possible_ends(config, workload)

    def start(self, seed: int) -> Checkpoint:
        """A seed at its beginning."""
        return Checkpoint(Position(seed), self._loop.start(seed).stream, {})

    def restore(self, checkpoint: Checkpoint) -> Checkpoint:
        """A seed as its checkpoint left it; the session alone holds its variables from now on.

        Raises RunError where it is not of this graph.
        """
        try:
            self._session.restore(checkpoint.variables)
        except ValueError as error:
            path = checkpoints.path_of(self._directory.checkpoints, checkpoint.position)
            raise RunError(f"{path}: {error}; move it away to resume before it") from error
        return checkpoint._replace(variables={})

    def run(self, start: Checkpoint) -> Position:
        """Train to the end of the seed, or until its loss or its weights are not finite.

        Raises Interrupted, with the checkpoint written, when asked to stop.
        """
        pending = {name: list(values) for name, values in start.position.pending.items()}
        sums = dict(start.position.sums_before)
        position = replace(start.position, pending=pending, sums_before=sums)
        stream = start.stream
        accumulator = RowAccumulator(self._config, position, self._ends)
        due = time.monotonic() + self._config.logging.checkpoint_seconds
        self._progress.stage("train")
        with self._open_writer(position) as writer:
            for chunk in self._loop.run(Place(position.epoch, position.window, stream)):
                stream = chunk.end.stream
                self._record(position, chunk, accumulator, writer)
                if chunk.ends_epoch:
                    self._validate(position, stream, accumulator, writer)
                if position.status != "running":
                    break
                now = time.monotonic()
                if self._stop.requested or now >= due:
                    variables = self._session.variables()
                    if checkpoints.not_finite(variables) is not None:
                        # The rows come first: a checkpoint has the digest of them all.
                        writer.write(accumulator.flush(chunk.epoch))
                        break
                    self._save(position, stream, variables, writer)
                    due = self._next_save(now)
                if self._stop.requested:
                    raise Interrupted(f"stopped at seed {position.seed}, update {position.updates}")
            self._save(position, stream, self._session.variables(), writer)
        return position

    def _record(
        self, position: Position, chunk: Chunk, accumulator: RowAccumulator, writer: _RowWriter
    ) -> None:
        """Move the position past a chunk and write the rows that are full."""
        position.epoch, position.window = chunk.end.epoch, chunk.end.window
        position.status = chunk.status
        rows = accumulator.add(chunk)
        if chunk.status != "running":
            rows += accumulator.flush(chunk.epoch)
        writer.write(rows)
        losses = chunk.metrics["loss"]
        loss = losses[-1] if losses else float("nan")
        self._progress.advance(position, loss)

    def _validate(
        self,
        position: Position,
        stream: StreamState,
        accumulator: RowAccumulator,
        writer: _RowWriter,
    ) -> None:
        """Validate where it is due; keep the best model, stop a seed that no longer improves.

        Raises Interrupted when asked to stop. The seed then resumes before the end of the epoch: a
        checkpoint at the end would say that it is validated.
        """
        if self._validation is None or not self._validation.is_due(position):
            return
        self._progress.stage("validate")
        variables = self._session.variables()
        if checkpoints.not_finite(variables) is not None:
            position.status = "diverged"
            writer.write(accumulator.flush(position.epoch))
            return
        metrics = self._validation.evaluate(variables)
        row = accumulator.row(position.epoch, VALIDATION, metrics)
        self._progress.log(f"seed {position.seed}, epoch {position.epoch}: {describe(row)}")
        is_best = self._validation.judge(position, row.loss)
        rest = accumulator.flush(position.epoch) if position.status != "running" else []
        # metrics.csv holds numbers only.
        writer.write(rest if position.status == "diverged" else [*rest, row])
        if is_best:
            checkpoint = Checkpoint(position, stream, variables)
            checkpoints.save_best(self._directory.checkpoints, checkpoint)

    def _save(
        self,
        position: Position,
        stream: StreamState,
        variables: dict[str, NDArray[Any]],
        writer: _RowWriter,
    ) -> None:
        """Write a checkpoint. Weights that are not finite are divergence."""
        if checkpoints.not_finite(variables) is not None:
            position.status = "diverged"
        writer.sync()
        checkpoint = Checkpoint(position, stream, variables)
        checkpoints.save(self._directory.checkpoints, checkpoint)

    def _next_save(self, began: float) -> float:
        """When to save again, after a checkpoint that was begun at this time."""
        every, now = self._config.logging.checkpoint_seconds, time.monotonic()
        return now + max(every, BETWEEN_SAVES * (now - began)) if every else now

    @contextlib.contextmanager
    def _open_writer(self, position: Position) -> Iterator[_RowWriter]:
        """A writer for one seed; its events are closed at the end of the block."""
        events = None
        if self._config.logging.tensorboard:
            rows = [line.row for line in self._metrics.read().of_seed(position.seed)]
            events = open_events(self._config, self._directory, position.seed, rows)
        try:
            yield _RowWriter(self._metrics, events, position)
        finally:
            if events:
                events.close()


class _RowWriter:
    """Writes rows to metrics.csv, and to TensorBoard's events where the config asks for them."""

    def __init__(self, metrics: MetricsFile, events: Events | None, position: Position) -> None:
        self._metrics = metrics
        self._events = events
        self._position = position
        self._digest = digest(metrics.read().of_seed(position.seed))
        position.metrics_digest = self._digest.hexdigest()
        self._is_synced = True

    def write(self, rows: Sequence[MetricsRow]) -> None:
        """Append rows, and note in the position what metrics.csv now holds of the seed."""
        if not rows:
            return
        self._digest.update(self._metrics.append(rows))
        self._is_synced = False
        self._position.metrics_digest = self._digest.hexdigest()
        if self._events:
            self._events.write(rows)

    def sync(self) -> None:
        """See the rows to the disk."""
        if not self._is_synced:
            self._metrics.sync()
            self._is_synced = True
