"""The training loop: epochs of data, cut into chunks that each take one session.run.

epoch 1: | chunk | chunk | … | rest |     each ends at a multiple of `session.iterations` updates,
epoch 2: | chunk | chunk | … | rest |     or after a second; the state is reset between epochs

Everything that trains a seed uses this loop, so that all of them compute the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows
from data.streams import StreamState, state_of, stream_at, training_stream
from data.task import Array
from experiments.config.schema import Config
from experiments.runs.checkpoints import SeedStatus
from experiments.training.adaptive import DepthChooser
from experiments.training.session import TrainingSession
from experiments.training.workload import Workload

CALL_SECONDS = 1.0  # of a session.run: Ctrl-C, checkpoints and progress wait for its end


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
        chooser: DepthChooser | None,
    ) -> None:
        """chooser: as `open_chooser` gives it for this config."""
        assert config.truncation.chooses == (chooser is not None)
        self._chooser = chooser
        self._config = config
        self._workload = workload
        self._session = session
        self._windows = workload.updates_per_epoch
        self._seconds_each = math.inf  # for an update of the latest call; none is known at first

    @property
    def longest(self) -> int:
        """The most windows for the next call of `train`, by the time that the latest took."""
        return max(1, min(self._session.iterations, int(CALL_SECONDS / self._seconds_each)))

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
            start = Place(epoch, 0, state_of(stream))
            rows = self._draw(stream) if first else self.begin_epoch(epoch, stream)
            while first < self._windows:
                size = self._chunk_size(epoch, first, cuts)
                end = start._replace(window=first + size)
                if end.window == self._windows:
                    end = Place(epoch + 1, 0, state_of(stream))
                chunk = self._chunk(rows, first, size, epoch + 1, end)
                yield chunk
                if chunk.status == "diverged":
                    return
                first += size
            del rows  # before the next epoch is drawn, or memory would hold both

    def begin_epoch(self, epoch: int, stream: np.random.RandomState) -> Rows:
        """Reset the state and draw the data of an epoch, counted from 0."""
        self._session.reset_state()
        rows = self._draw(stream)
        if self._chooser is not None:
            self._session.choose(self._chooser.choose(epoch, self._session.variables(), rows))
        return rows

    def train(self, rows: Rows, first: int, size: int) -> dict[str, Array]:
        """One session.run on `size` windows of an epoch, from window `first` on, an update each.

        Returns the metrics of each, [size]: "loss" in nats, and the others of the graph.
        """
        context = self._config.truncation.context_steps
        windows = rows.windows(first, size, self._config.graph.num_steps, context)
        began = time.perf_counter()
        measured = self._session.train(windows, size)
        self._seconds_each = (time.perf_counter() - began) / size
        return measured

    def _draw(self, stream: np.random.RandomState) -> Rows:
        return self._workload.draw(stream, self._config.graph.batch_size)

    def _chunk_size(self, epoch: int, first: int, cuts: Collection[int]) -> int:
        """The windows of the chunk that begins with window `first` of an epoch."""
        done, most = epoch * self._windows + first, self._session.iterations
        return min(
            self.longest,
            most - first % most,  # the ends of chunks are where they would be without short ones
            self._windows - first,
            *(cut - done for cut in cuts if cut > done),
        )

    def _chunk(self, rows: Rows, first: int, size: int, epoch: int, end: Place) -> Chunk:
        """The updates of `train`."""
        measured = self.train(rows, first, size)
        count = _count_finite(measured["loss"])
        status: SeedStatus = "running"
        if count < size:
            status = "diverged"
        elif end.epoch == self._config.training.epochs:
            status = "complete"
        metrics = {name: values[:count].tolist() for name, values in measured.items()}
        return Chunk(metrics, self._seconds_each, epoch, end, status)


def _count_finite(losses: NDArray[np.floating[Any]]) -> int:
    """How many losses come before the first that is not finite."""
    broken = np.flatnonzero(~np.isfinite(losses))
    return int(broken[0]) if len(broken) else len(losses)
