"""Validation while a seed trains: when it is due, which model is the best, when to stop early."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from data.streams import evaluation_stream
from data.task import VALIDATION, Drawn, Task
from experiments.config.schema import Config
from experiments.interrupts import Stop
from experiments.runs.checkpoints import Position
from experiments.training.workload import Workload

if TYPE_CHECKING:
    from experiments.training.evaluator import Evaluator


class Validation:
    """The policy of `training.validate_every` and `training.patience`, with its evaluator."""

    def __init__(
        self, config: Config, evaluator: Evaluator, drawn: Drawn, rows: int | None = None
    ) -> None:
        self._rows = rows
        self._config = config
        self._evaluator = evaluator
        self._drawn = drawn

    def is_due(self, position: Position) -> bool:
        """Whether to validate at the end of this epoch: every n epochs, and at a seed's end."""
        every = self._config.training.validate_every
        if not every or position.status == "diverged":
            return False
        return position.epoch % every == 0 or position.status == "complete"

    def evaluate(self, variables: dict[str, NDArray[Any]]) -> dict[str, float]:
        """The loss of these variables, and every metric that held-out data can have.

        Raises Interrupted when asked to stop.
        """
        self._evaluator.restore(variables)
        batch_size = min(self._config.graph.batch_size, len(self._drawn.inputs))
        found = self._evaluator.evaluate(self._drawn, batch_size, self._rows)
        return {"loss": found.loss, **found.metrics}

    def judge(self, position: Position, loss: float) -> bool:
        """Whether this validation loss is the seed's best so far.

        A loss that is not finite is never the best: the seed has diverged. Counts the
        validations since the best, and completes the seed where there are `training.patience`
        of them.
        """
        if not math.isfinite(loss):
            position.status = "diverged"
            return False
        is_best = position.best_loss is None or loss < position.best_loss
        if is_best:
            position.best_loss, position.stale = loss, 0
        else:
            position.stale += 1
        patience = self._config.training.patience
        if patience is not None and position.stale >= patience:
            position.status = "complete"
        return is_best


def possible_ends(config: Config, workload: Workload) -> list[int]:
    """The numbers of updates at which a seed may end: `training.patience` may stop it early."""
    every = config.training.validate_every
    if every is None or config.training.patience is None:
        return [workload.updates]
    epochs = range(every, config.training.epochs, every)
    return [*(epoch * workload.updates_per_epoch for epoch in epochs), workload.updates]


@contextlib.contextmanager
def open_validation(
    config: Config, task: Task, rows: int | None, stop: Stop
) -> Iterator[Validation | None]:
    """The validation of a run, with a sequence in such rows; None where the config asks for none.

    For `rows` see `Evaluator.evaluate`, for `stop` see Evaluator.
    """
    if config.training.validate_every is None:
        yield None
        return
    from experiments.training.evaluator import Evaluator  # imports TensorFlow

    drawn = task.evaluation(VALIDATION, evaluation_stream(config.training.first_seed))
    with Evaluator(config, task, stop) as evaluator:
        yield Validation(config, evaluator, drawn, rows)
