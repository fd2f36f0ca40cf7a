"""The weights that gradients are measured at: along a training, or those of a run's checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from experiments.config.schema import Config
from experiments.errors import RunError, UsageError
from experiments.runs.checkpoints import not_finite
from experiments.runs.directory import RunDirectory
from experiments.training.adaptive import open_chooser
from experiments.training.loop import TrainingLoop
from experiments.training.session import TrainingSession, build
from experiments.training.trained_weights import check_trained, need_checkpoint
from experiments.training.workload import Workload

PARTS = (0, 1 / 64, 1 / 16, 1 / 4, 1)  # of a seed's updates

Variables = dict[str, NDArray[Any]]  # by name


class Moments(NamedTuple):
    """When to measure, and the weights then."""

    updates: list[int]  # ascending, the same for every seed
    weights: Iterable[Iterable[Variables]]  # by seed and moment


def along_training(config: Config, workload: Workload) -> Moments:
    """Five moments of a training, from the first weights to the last.

    The weights are trained as they are asked for. That raises RunError if the loss or a variable
    is not finite. Raises UsageError if training has no fixed end.
    """
    if config.training.patience:
        raise UsageError(
            "training.patience: gradients are measured at parts of a training that does not stop "
            f"early; expected null, got {config.training.patience}"
        )
    updates = parts_of(workload.updates)
    return Moments(updates, _train(updates, config, workload))


def of_run(directory: RunDirectory, seeds: Sequence[int], which: str) -> Moments:
    """The "last" or "best" checkpoints of a run, one a seed.

    Raises RunError where one is missing, damaged or diverged, UsageError where they are not of
    the same update.
    """
    found = [need_checkpoint(directory, seed, which) for seed in seeds]
    for checkpoint in found:
        check_trained(directory, checkpoint)
    updates = {checkpoint.position.seed: checkpoint.position.updates for checkpoint in found}
    if len(set(updates.values())) > 1:
        found_at = ", ".join(f"{number} of seed {seed}" for seed, number in updates.items())
        raise UsageError(
            f"{directory.path}: expected {which} checkpoints of the same update, found {found_at}"
        )
    return Moments([found[0].position.updates], [[one.variables] for one in found])


def parts_of(total: int) -> list[int]:
    """The numbers of updates, out of `total`, after which to measure."""
    return sorted({round(part * total) for part in PARTS})


def _train(
    updates: Sequence[int], config: Config, workload: Workload
) -> Iterator[Iterator[Variables]]:
    with TrainingSession(build(config, workload), config.execution.threads) as session:
        for seed in config.seeds:
            yield weights_at(updates, config, workload, session, seed)


def weights_at(
    updates: Sequence[int], config: Config, workload: Workload, session: TrainingSession, seed: int
) -> Iterator[Variables]:
    """Every variable of a seed after each of these updates, trained as in a run.

    `updates` are ascending. Raises RunError if the loss or a variable is not finite.
    """
    with open_chooser(config, workload) as chooser:
        loop = TrainingLoop(config, workload, session, chooser)
        start = loop.start(seed)
        if updates[0] == 0:
            yield session.variables()
        for chunk in loop.run(start, cuts=updates):
            done = chunk.end.epoch * workload.updates_per_epoch + chunk.end.window
            variables = session.variables()
            if chunk.status == "diverged" or not_finite(variables) is not None:
                raise RunError(
                    f"seed {seed}: the loss or a weight was not finite by update {done}; "
                    "there is no gradient to measure"
                )
            if done in updates:
                yield variables
            if done == updates[-1]:
                return
