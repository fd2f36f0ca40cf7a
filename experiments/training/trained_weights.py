"""The weights that a run trained: which checkpoint holds them, and into which graph they go."""

from __future__ import annotations

from pathlib import Path

from experiments.errors import RunError
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint, not_finite
from experiments.runs.directory import FINISHED, RunDirectory
from experiments.training.session import GraphSession


def find_checkpoint(directory: RunDirectory, seed: int, which: str) -> Checkpoint | None:
    """A seed's "last" or "best" checkpoint; None where there is none.

    Raises RunError where none of those that are there can be read.
    """
    if which == "best":
        return checkpoints.best(directory.checkpoints, seed)
    found = checkpoints.newest(directory.checkpoints, seed)
    if found.checkpoint is None and found.unreadable:
        raise RunError(
            f"{found.unreadable[0]}: damaged, or no checkpoint of this program; "
            f"{_way_out(directory)}"
        )
    return found.checkpoint


def need_checkpoint(directory: RunDirectory, seed: int, which: str) -> Checkpoint:
    """As `find_checkpoint`. Raises RunError where there is none, too."""
    found = find_checkpoint(directory, seed, which)
    if found is None:
        raise no_checkpoint(directory, which)
    return found


def no_checkpoint(directory: RunDirectory, which: str) -> RunError:
    """The error of a run that has no such checkpoint, with what brings one."""
    if which == "best" and directory.read_config().training.validate_every is None:
        return RunError(
            f"{directory.path}: no best checkpoint, because the run has "
            "training.validate_every=null; take the last one with --checkpoint last"
        )
    return RunError(f"{directory.path}: no {which} checkpoint; {_way_out(directory)}")


def _way_out(directory: RunDirectory) -> str:
    """What brings the checkpoint back: `train` leaves a run alone that has ended."""
    has_ended = directory.read_summary().get("status") in FINISHED
    return "train it again with --overwrite" if has_ended else "train it first"


def load_into(session: GraphSession, directory: RunDirectory, checkpoint: Checkpoint) -> None:
    """Load a checkpoint. Raises RunError where it is not of this run's model, or diverged."""
    _check_status(directory, checkpoint)
    try:
        session.restore(checkpoint.variables)
    except ValueError as error:
        raise RunError(f"{_file_of(directory, checkpoint)}: {error}") from error
    _check_finite(directory, checkpoint)


def check_trained(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    """Raise RunError where training diverged."""
    _check_status(directory, checkpoint)
    _check_finite(directory, checkpoint)


def _check_status(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    if checkpoint.position.status == "diverged":
        seed, updates = checkpoint.position.seed, checkpoint.position.updates
        raise RunError(
            f"{_file_of(directory, checkpoint)}: seed {seed} diverged at update {updates}"
        )


def _check_finite(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    broken = not_finite(checkpoint.variables)
    if broken is not None:
        raise RunError(
            f"{_file_of(directory, checkpoint)}: the model diverged: {broken} is not finite"
        )


def _file_of(directory: RunDirectory, checkpoint: Checkpoint) -> Path:
    path = checkpoints.path_of(directory.checkpoints, checkpoint.position)
    return path if path.exists() else path.with_name(checkpoints.BEST)
