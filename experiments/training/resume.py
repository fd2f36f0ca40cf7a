"""Where a run resumes: the first seed that is not finished, at its newest good checkpoint."""

from __future__ import annotations

from typing import NamedTuple

from experiments.config.schema import Config
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint, Position
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile
from experiments.training.progress import Progress


class ResumePoint(NamedTuple):
    """The seeds that are done, and the checkpoint to resume from."""

    finished: list[Position]  # seeds that need nothing more
    checkpoint: Checkpoint | None  # of the next seed, where it has one


def find_resume_point(config: Config, directory: RunDirectory, progress: Progress) -> ResumePoint:
    """Look through the seeds in order, and cut metrics.csv back to that point.

    A checkpoint that cannot be read is passed over, with a line that says so.
    """
    metrics = MetricsFile(directory.metrics)
    size = metrics.size()
    finished: list[Position] = []
    checkpoint = None
    for seed in config.seeds:
        checkpoint, unreadable = checkpoints.newest(directory.checkpoints, seed, size)
        for path in unreadable:
            earlier = (
                f"update {checkpoint.position.updates}" if checkpoint else "the start of the seed"
            )
            progress.log(f"checkpoint {path}: cannot be used; falling back to {earlier}")
            path.unlink(missing_ok=True)
        if checkpoint is None or checkpoint.position.status == "running":
            break
        finished.append(checkpoint.position)
        checkpoint = None
    position = checkpoint.position if checkpoint else (finished[-1] if finished else None)
    metrics.cut(position.metrics_bytes if position else 0)
    for seed in config.seeds[len(finished) + (checkpoint is not None) :]:
        checkpoints.drop(directory.checkpoints, seed)  # rows of these are cut off above
    return ResumePoint(finished, checkpoint)
