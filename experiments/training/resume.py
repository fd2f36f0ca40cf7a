"""Where a run resumes: each seed at its newest checkpoint whose rows metrics.csv holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint, Position
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsLine, MetricsTable, digest
from experiments.training.progress import Progress


class ResumePoint(NamedTuple):
    """Where a run resumes, and what that costs."""

    finished: list[Position]  # seeds that need nothing more
    started: dict[int, Checkpoint]  # by seed; a seed that is in neither starts at its beginning
    rows: MetricsTable  # of metrics.csv that stay
    unusable: list[Path]  # checkpoints that were passed over
    notes: list[str]  # of what is lost


class SeedPoint(NamedTuple):
    """Where one seed resumes."""

    checkpoint: Checkpoint | None  # None: at its beginning; without variables where it has ended
    lines: list[MetricsLine]  # of metrics.csv that stay
    dropped: int  # lines that come after the checkpoint, to be written again
    unusable: list[Path]  # checkpoints that were passed over


def find_resume_point(config: Config, directory: RunDirectory) -> ResumePoint:
    """Look at each seed's checkpoints and its rows in metrics.csv. Changes nothing.

    A checkpoint that is damaged costs its own seed alone. Raises UsageError where metrics.csv was
    changed or lost.
    """
    table = MetricsFile(directory.metrics).read()
    _check_seeds(config, directory, table)
    points = {seed: _find(config, directory, seed, table.of_seed(seed)) for seed in config.seeds}
    kept = [line for point in points.values() for line in point.lines]
    chosen = [point.checkpoint for point in points.values() if point.checkpoint]
    return ResumePoint(
        [each.position for each in chosen if each.position.status != "running"],
        {each.position.seed: each for each in chosen if each.position.status == "running"},
        MetricsTable(table.header, kept, b""),
        [path for point in points.values() for path in point.unusable],
        [note for seed, point in points.items() for note in _notes(seed, point)],
    )


def check_windows(point: ResumePoint, windows: int, directory: RunDirectory) -> None:
    """Raise UsageError where a seed has done more windows of an epoch than it has by now.

    Data that have become shorter leave it no update to make, and no end to come to.
    """
    for seed, checkpoint in point.started.items():
        done = checkpoint.position.window
        if done >= windows:
            raise UsageError(
                f"run directory {directory.path}: seed {seed} has done {done} updates of an epoch, "
                f"which has {windows} on the data as they are now; restore them to resume, or "
                "train it again with --overwrite"
            )


def cut_back(point: ResumePoint, directory: RunDirectory, progress: Progress) -> None:
    """Cut metrics.csv back to where the seeds resume, and set damaged checkpoints aside."""
    for note in point.notes:
        progress.log(note)
    for path in point.unusable:
        checkpoints.set_aside(path)
    MetricsFile(directory.metrics).replace(point.rows)


def _find(
    config: Config, directory: RunDirectory, seed: int, lines: Sequence[MetricsLine]
) -> SeedPoint:
    """The newest checkpoint of a seed whose rows are all there, as they were written."""
    unusable: list[Path] = []
    changed: Path | None = None
    for path, checkpoint in checkpoints.candidates(directory.checkpoints, seed):
        if checkpoint is not None:
            before = [line for line in lines if line.row.updates <= checkpoint.position.updates]
            if _are_rows_of(checkpoint.position, before, config.logging.every):
                if checkpoint.position.status != "running":
                    checkpoint = checkpoint._replace(variables={})  # all seeds' may be large
                return SeedPoint(checkpoint, before, len(lines) - len(before), unusable)
            changed = changed or path
        unusable.append(path)
    if changed:
        how = "have been changed" if directory.metrics.exists() else "are missing with the file"
        raise UsageError(
            f"{directory.metrics}: the rows of seed {seed} that {changed} continues {how}; "
            "restore the file to resume, or train it again with --overwrite"
        )
    return SeedPoint(None, [], len(lines), unusable)


def _are_rows_of(position: Position, lines: Sequence[MetricsLine], every: int) -> bool:
    """Whether these lines are what metrics.csv held of the seed at this position."""
    if position.metrics_digest:
        return digest(lines).hexdigest() == position.metrics_digest
    # Of an earlier version, which kept no digest.
    written = position.updates - len(position.pending.get("loss", []))
    expected = list(range(every, written + 1, every))
    if position.status != "running" and written % every:
        expected.append(written)
    return [line.row.updates for line in lines if line.row.split == "train"] == expected


def _check_seeds(config: Config, directory: RunDirectory, table: MetricsTable) -> None:
    strangers = {line.row.seed for line in table.lines} - set(config.seeds)
    if strangers:
        raise UsageError(
            f"{directory.metrics}: expected rows of seeds {config.seeds[0]} to "
            f"{config.seeds[-1]}, got one of seed {min(strangers)}"
        )


def _notes(seed: int, point: SeedPoint) -> Iterator[str]:
    """What is lost."""
    start = "the start of the seed"
    if point.checkpoint:
        start = f"update {point.checkpoint.position.updates}"
    for path in point.unusable:
        yield f"checkpoint {path}: cannot be used; falling back to {start}"
    if not point.checkpoint and point.dropped:
        yield (
            f"seed {seed}: no checkpoint continues its {point.dropped} rows in metrics.csv; "
            "it is trained from its start"
        )
