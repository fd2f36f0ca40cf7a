"""The training loop: epochs of data, cut into chunks that each take one session.run.

epoch 1: | chunk | chunk | … | rest |     a chunk has at most `session.iterations` windows,
epoch 2: | chunk | chunk | … | rest |     one update for each; the state is reset between epochs

Everything that trains a seed uses this loop, so that all of them compute the same weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows
from data.streams import StreamState, state_of, stream_at, training_stream
from experiments.config.schema import Config
from experiments.runs.checkpoints import SeedStatus
from experiments.training.adaptive import DepthChooser
from experiments.training.session import TrainingSession
from experiments.training.workload import Workload


class Place(NamedTuple):
    """A point in a seed's training data, from which the loop can resume."""

    epoch: int  # epochs that are done
    window: int  # windows of the next epoch that are done
    stream: StreamState  # the random stream at the start of that epoch


class Chunk(NamedTuple):
    """The updates of one session.run. Where the loss is not finite, those before it."""

    metrics: dict[str, list[float]]  # of each update, by name; "loss" among them
    seconds_each: float  # for one update
    epoch: int  # counted from 1
    end: Place
    status: SeedStatus  # complete: the last chunk; diverged: the loss is not finite

    @property
    def updates(self) -> int:
        """How many updates were measured."""
        return len(self.metrics["loss"])

    @property
    def ends_epoch(self) -> bool:
        """Whether this is the last chunk of its epoch."""
        return self.end.window == 0


class TrainingLoop:
    """Trains one seed at a time, on a session that holds its variables."""

    def __init__(
        self,
        config: Config,
        workload: Workload,
        session: TrainingSession,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        """log: takes a line for each epoch of a style that chooses its depth."""
        self._chooser: DepthChooser | None = None
        if config.truncation.chooses:
            self._chooser = DepthChooser(config, workload.task, log)
        self._config = config
        self._workload = workload
        self._session = session
        self._windows = workload.updates_per_epoch

    def start(self, seed: int) -> Place:
        """Initialize the variables of a seed. Returns the start of its data."""
        self._session.initialize(seed)
        return Place(0, 0, state_of(training_stream(seed)))

    def run(self, place: Place, cuts: Collection[int] = ()) -> Iterator[Chunk]:
        """Train from `place` to the end of the seed, or until its loss is not finite.

        `cuts` are numbers of updates, counted from the start of the seed, at which a chunk
        ends. How an epoch is cut changes no weight.
        """
        stream = stream_at(place.stream)
        for epoch in range(place.epoch, self._config.training.epochs):
            first = place.window if epoch == place.epoch else 0
            if first == 0:
                self._session.reset_state()
            start = Place(epoch, 0, state_of(stream))
            rows = self._workload.draw(stream, self._config.graph.batch_size)
            if first == 0 and self._chooser is not None:
                choice = self._chooser.choose(epoch, self._session.variables(), rows)
                self._session.choose(choice)
            while first < self._windows:
                size = self._chunk_size(epoch, first, cuts)
                end = start._replace(window=first + size)
                if end.window == self._windows:
                    end = Place(epoch + 1, 0, state_of(stream))
                chunk = self._train(rows, first, size, epoch + 1, end)
                yield chunk
                if chunk.status == "diverged":
                    return
                first += size
            del rows  # before the next epoch is drawn, or memory would hold both

    def _chunk_size(self, epoch: int, first: int, cuts: Collection[int]) -> int:
        """The windows of the chunk that begins with window `first` of an epoch."""
        done = epoch * self._windows + first
        return min(
            self._session.iterations,
            self._windows - first,
            *(cut - done for cut in cuts if cut > done),
        )

    def _train(self, rows: Rows, first: int, size: int, epoch: int, end: Place) -> Chunk:
        """One session.run on `size` windows."""
        began = time.perf_counter()
        graph, context = self._config.graph, self._config.truncation.context_steps
        windows = rows.windows(first, size, graph.num_steps, context)
        measured = self._session.train(windows, size)
        seconds_each = (time.perf_counter() - began) / size
        count = _count_finite(measured["loss"])
        status: SeedStatus = "running"
        if count < size:
            status = "diverged"
        elif end.epoch == self._config.training.epochs:
            status = "complete"
        metrics = {name: values[:count].tolist() for name, values in measured.items()}
        return Chunk(metrics, seconds_each, epoch, end, status)


def _count_finite(losses: NDArray[np.floating[Any]]) -> int:
    """How many losses come before the first that is not finite."""
    broken = np.flatnonzero(~np.isfinite(losses))
    return int(broken[0]) if len(broken) else len(losses)
