"""The checkpoints of a run on held-out data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.examples import at_position
from data.streams import evaluation_stream
from data.task import Examples, Spelled, Task
from experiments.config.schema import Config
from experiments.errors import RunError, UsageError
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.training.evaluator import Evaluated, Evaluator, as_read
from experiments.training.run_data import warn_if_unknown, workload_of_run
from experiments.training.trained_weights import find_checkpoint, load_into, no_checkpoint
from experiments.training.workload import make_workload


class SplitResult(NamedTuple):
    """One seed's checkpoint on one held-out set."""

    seed: int
    updates: int
    split: str
    evaluated: Evaluated
    spelled: Spelled | None  # the text of the labels; None at one position, which spells none

    @property
    def bits_per_character(self) -> float | None:
        """The loss for each character of a text; a lower bound where labels are <unk>."""
        return self.spelled and self.spelled.bits_per_character(self.evaluated.loss)


def evaluate_run(
    directory: RunDirectory,
    batch_size: int | None,
    checkpoint: str,
    data_changed: bool = False,
    position: int | None = None,
) -> Iterator[SplitResult]:
    """Each seed's checkpoint, "last" or "best", on every held-out set, at any batch size.

    With `position`, only the losses at that time step of each example count, from 1 on.

    Raises UsageError where nothing is held out, or the data are not those of the run, unless
    `data_changed` allows it, and at the end RunError for seeds whose checkpoint is of no use.
    """
    config = directory.read_config()
    task = workload_of_run(config, directory, make_workload(config), data_changed).task
    warn_if_unknown(directory, task)
    if not task.held_out:
        raise UsageError(
            f"{directory.path}: {config.task.kind} has no held-out data to evaluate; expected a "
            "run with task.valid or task.test above 0"
        )
    _check_batch_size(batch_size, task)
    check_position(position, config, task)
    evaluated, refused = 0, []
    with Evaluator(config, task) as evaluator:
        for seed in config.seeds:
            try:
                at = _load(evaluator, directory, seed, checkpoint)
            except RunError as error:
                refused.append(str(error))
                continue
            if at is not None:
                evaluated += 1
                size = batch_size or config.graph.batch_size
                yield from _evaluate(evaluator, config, task, at, size, position)
    if refused:
        raise RunError("; ".join(refused))
    if not evaluated:
        raise no_checkpoint(directory, checkpoint)


def _load(
    evaluator: Evaluator, directory: RunDirectory, seed: int, checkpoint: str
) -> Position | None:
    """Load a seed's checkpoint. Returns its position; None where there is none."""
    found = find_checkpoint(directory, seed, checkpoint)
    if found is None:
        return None
    load_into(evaluator, directory, found)
    return found.position


def _evaluate(
    evaluator: Evaluator,
    config: Config,
    task: Task,
    at: Position,
    batch_size: int,
    position: int | None,
) -> Iterator[SplitResult]:
    """A checkpoint that is loaded, on every held-out set."""
    for split in task.held_out:
        drawn = as_read(task.evaluation(split, evaluation_stream(at.seed)), config)
        if position is not None and isinstance(drawn, Examples):
            drawn = at_position(drawn, position)
        size = min(batch_size, len(drawn.inputs))
        evaluated = evaluator.evaluate(drawn, size, task.held_out_rows)
        spelled = task.spelled(split) if position is None else None
        yield SplitResult(at.seed, at.updates, split, evaluated, spelled)


def check_position(position: int | None, config: Config, task: Task) -> None:
    """Raise UsageError for a position at which no example has a loss."""
    if position is None:
        return
    drawn = [task.evaluation(split, evaluation_stream(0)) for split in task.held_out]
    sets = [as_read(each, config) for each in drawn]
    examples = [each for each in sets if isinstance(each, Examples)]
    if not examples:
        raise UsageError(
            "--position: the data are one sequence, whose state is carried: no step of it has a "
            f"place in an example; expected no --position, got {position}"
        )
    counted = [np.flatnonzero((each.weights > 0).any(axis=0)) + 1 for each in examples]
    steps = sorted(set.intersection(*(set(each.tolist()) for each in counted)))
    if not steps:
        raise UsageError(
            f"--position: no time step has a loss in each of {', '.join(task.held_out)}; expected "
            f"no --position, got {position}"
        )
    if position not in steps:
        raise UsageError(
            f"--position: expected a time step with a loss, {steps[0]} to {steps[-1]}; "
            f"got {position}"
        )


def _check_batch_size(asked: int | None, task: Task) -> None:
    """Raise UsageError for a batch size that no set can fill, or that nothing asks for."""
    if asked is None:
        return
    if task.held_out_rows is not None:
        raise UsageError(
            f"--batch-size: the run has task.held_out_rows={task.held_out_rows}, which says how "
            f"its text is read; expected no --batch-size, got {asked}"
        )
    drawn = [task.evaluation(split, evaluation_stream(0)) for split in task.held_out]
    size = max((len(each.inputs) for each in drawn), default=0)
    if not 1 <= asked <= size:
        raise UsageError(f"--batch-size: expected 1 to the size of the data, {size}; got {asked}")
    if task.labels == "pairs" and asked % 2:
        raise UsageError(
            "--batch-size: the two texts of a pair are rows of one batch; expected an even number, "
            f"got {asked}"
        )
