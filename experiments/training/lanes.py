"""Seeds of a run side by side: each lane is a thread with a session of its own.

A lane takes the next seed when it has trained one, so the seeds are shared out evenly. Nothing that
a seed computes depends on the lanes; only the order in which rows are written does, until the end.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from experiments.config.schema import Config
from experiments.errors import Interrupted
from experiments.interrupts import StopRequest
from experiments.runs.checkpoints import Checkpoint, Position
from experiments.training.cores import cores_of_this_process

if TYPE_CHECKING:
    from experiments.training.seed import SeedTraining


def lanes(asked: Config, decided: Config) -> int:
    """The most seeds to train at a time: as many as there are cores for them.

    Only where the config asks for `execution.threads` auto; a number is all that the run takes.
    """
    threads = decided.execution.threads
    if len(asked.seeds) < 2 or asked.execution.threads != "auto" or not isinstance(threads, int):
        return 1
    return max(1, cores_of_this_process() // threads)


class SeedQueue:
    """The seeds that are left, and the positions of those that have ended."""

    def __init__(
        self,
        seeds: Sequence[int],
        started: dict[int, Checkpoint],
        positions: list[Position],
        stop: StopRequest,
    ) -> None:
        """`started` are the checkpoints to resume from, each of which is taken out when it is used.

        `positions` is filled as seeds end.
        """
        self._left = deque(seeds)
        self._started = started
        self._positions = positions
        self._stop = stop
        self._failed = threading.Event()

    @property
    def requested(self) -> bool:
        """Whether to stop: on a request, or after an error in another lane."""
        return self._stop.requested or self._failed.is_set()

    def train(self, training: SeedTraining, log: Callable[[str], None]) -> None:
        """Train seeds until none is left. Raises Interrupted on a request to stop."""
        try:
            while (seed := self._next()) is not None:
                self._positions.append(self._train(training, seed, log))
        except BaseException:
            self._failed.set()
            raise

    def _next(self) -> int | None:
        try:
            seed = self._left.popleft()
        except IndexError:
            return None
        if self.requested:
            raise Interrupted(f"stopped before seed {seed}")
        return seed

    def _train(
        self, training: SeedTraining, seed: int, log: Callable[[str], None]
    ) -> Position:  # fmt: skip
        start = training.start(seed)
        if seed in self._started:
            start = training.restore(self._started.pop(seed))
            log(f"seed {seed}: resuming at update {start.position.updates}")
        position = training.run(start)
        log(
            f"seed {seed}: {position.status} at update {position.updates}, {position.seconds:.1f} s"
        )
        return position
