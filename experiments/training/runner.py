"""One run, from its config to a complete run directory."""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from data.task import Task
from experiments.config.schema import Config
from experiments.config.sizes import naming_sizes
from experiments.errors import Interrupted, RunError, UsageError
from experiments.interrupts import Stop, StopRequest, stop_request
from experiments.output import safe_output
from experiments.paths import RUNS
from experiments.runs.checkpoints import Position
from experiments.runs.directory import FINISHED, RunDirectory
from experiments.runs.lock import locked
from experiments.runs.metrics import MetricsFile
from experiments.runs.naming import run_directory
from experiments.training.execution import executed, prepare_process, recorded
from experiments.training.final_evaluation import evaluate_seeds
from experiments.training.lanes import SeedQueue, lanes
from experiments.training.physical_memory import PeakMemory, PhysicalMemory
from experiments.training.picture import save_learning_curves
from experiments.training.progress import Progress, SeedsProgress
from experiments.training.progress import progress as show_progress
from experiments.training.resources import OpenSessions, RunResources, one_graph
from experiments.training.resume import ResumePoint, check_windows, cut_back, find_resume_point
from experiments.training.run_data import (
    is_unknown,
    record_data,
    warning,
    workload_of_run,
)
from experiments.training.side_by_side import side_by_side
from experiments.training.summary import code_of, summarize
from experiments.training.validation import open_validation
from experiments.training.workload import Workload, make_workload

if TYPE_CHECKING:
    from experiments.training.seed import SeedTraining
    from experiments.training.session import TrainingSession


class ActiveRun(NamedTuple):
    """A run that is trained now, in a directory that no other process uses."""

    config: Config
    workload: Workload
    directory: RunDirectory
    progress: Progress
    stop: StopRequest
    lanes: int  # seeds that are trained side by side, at most


def default_directory(config: Config, overrides: Sequence[str]) -> Path:
    """runs/<experiment>/<overrides or "default">."""
    return run_directory(RUNS / config.name, config, overrides)


def train(
    config: Config, path: Path, overwrite: bool = False, data_changed: bool = False
) -> dict[str, Any]:
    """Train a run to its end, resuming where an earlier call stopped. Returns its summary.

    `data_changed` allows a run to continue on other data than it was trained on.

    Raises UsageError (the directory cannot be used, the data changed), Interrupted (asked to
    stop, the checkpoint is written) or RunError (a seed diverged, the disk is full, …).
    """
    with safe_output(), one_graph() as open_sessions:
        resources = RunResources(open_sessions, show_progress)
        return train_with(resources, config, path, overwrite, data_changed)


def train_with(
    resources: RunResources,
    config: Config,
    path: Path,
    overwrite: bool = False,
    data_changed: bool = False,
) -> dict[str, Any]:
    """`train`, with resources that runs of one process share."""
    directory = RunDirectory(path)
    with naming_sizes(config):
        workload = make_workload(config)
    directory.check(config, overwrite)
    if not overwrite and directory.config.exists():
        workload = workload_of_run(config, directory, workload, data_changed)
    try:
        with naming_sizes(config):
            summary = _train_locked(resources, config, workload, directory, overwrite)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                f"{path}: the disk is full ({error}); nothing written is lost, "
                "free some space and rerun the command to resume"
            ) from error
        raise RunError(f"{path}: {error}") from error
    if summary["status"] == "diverged":
        seeds = [seed for seed, status in summary["seeds"].items() if status == "diverged"]
        raise RunError(f"{path}: the loss or a weight was not finite for seed {', '.join(seeds)}")
    return summary


def _train_locked(
    resources: RunResources,
    config: Config,
    workload: Workload,
    directory: RunDirectory,
    overwrite: bool,
) -> dict[str, Any]:
    """Train, unless the run is finished, while no other process uses the directory."""
    with (
        locked(directory.path),
        resources.open_progress(directory.log) as shown,
        stop_request() as stop,
    ):
        for path in directory.prepare(config, overwrite):
            shown.log(f"{path}: of the run that was replaced; cannot be removed")
        summary = directory.read_summary()
        if is_unknown(directory, workload.task):
            shown.log(warning(directory))
        if summary.get("status") in FINISHED:
            shown.log(f"{directory.path}: already {summary['status']}; --overwrite runs it again")
        else:
            decided = executed(config, workload, directory)
            prepare_process(decided.execution)
            run = ActiveRun(decided, workload, directory, shown, stop, lanes(config, decided))
            summary = _train(run, resources.open_sessions)
        _log_result(directory, workload.task, summary, shown)
    return summary


def _train(run: ActiveRun, open_sessions: OpenSessions) -> dict[str, Any]:
    """Train the seeds that are not finished, and write a summary however that ends."""
    positions: list[Position] = []
    config, directory = run.config, run.directory
    for note in run.workload.notes:
        run.progress.log(note)
    point = find_resume_point(config, directory)  # a run that cannot resume stays as it is
    check_windows(point, run.workload.updates_per_epoch, directory)
    try:
        record_data(directory, run.workload.task)
        directory.write_summary(
            {
                "status": "running",
                "name": config.name,
                "total_updates": run.workload.updates,
                "execution": recorded(config.execution),
                **code_of(directory),
            }
        )
        memory = _train_seeds(run, open_sessions, point, positions)
        run.progress.stage("report")
        evaluated = evaluate_seeds(
            config, run.workload.task, directory, positions, run.stop, run.progress.log
        )
        worst = "diverged" if any(p.status == "diverged" for p in positions) else "complete"
        summary = summarize(config, run.workload, directory, worst, positions) | evaluated
        if memory is not None:
            summary["memory"] = memory.as_dict()
        save_learning_curves(config, directory, summary["floors"], run.progress.log)
        directory.write_summary(summary)
        return summary
    except (Exception, KeyboardInterrupt) as error:
        # TensorFlow, while it is imported, turns a KeyboardInterrupt into errors of its own.
        if not run.stop.raised and not isinstance(error, Interrupted | KeyboardInterrupt):
            _summarize_unfinished(run, "failed", positions, f"{type(error).__name__}: {error}")
            raise
        reason = str(error) if isinstance(error, Interrupted) else "stopped"
        _summarize_unfinished(run, "interrupted", positions, reason)
        raise Interrupted(f"{directory.path}: {reason}; rerun the command to resume") from None


def _train_seeds(
    run: ActiveRun, open_sessions: OpenSessions, point: ResumePoint, positions: list[Position]
) -> PhysicalMemory | None:
    """Train the seeds that are not finished from `point` on; fills `positions` as they end.

    Returns the memory that it took; None if there was nothing left to train.
    """
    config, workload, directory, shown = run.config, run.workload, run.directory, run.progress
    cut_back(point, directory, shown)
    positions += point.finished
    _restore_events(config, directory, point.finished)
    done = {position.seed for position in point.finished}
    seeds = [seed for seed in config.seeds if seed not in done]
    if not seeds:
        return None
    _check_stop(run.stop, seeds[0])
    shown.stage("import")
    from experiments.training.tensorboard import write_floors  # TensorFlow takes seconds to import

    _check_stop(run.stop, seeds[0])
    memory = PeakMemory()
    sessions = open_sessions(config, workload, shown, min(run.lanes, len(seeds)))
    _check_stop(run.stop, seeds[0])
    if config.logging.tensorboard:
        write_floors(directory.events, workload.task.floors(), workload.updates)
    metrics = MetricsFile(directory.metrics)
    progress = SeedsProgress(shown, config.seeds, workload.updates)
    progress.skip(point.finished)
    queue = SeedQueue(seeds, point.started, positions, run.stop)
    with _opened(run, sessions, metrics, progress, queue) as trainings:
        side_by_side([functools.partial(queue.train, each, shown.log) for each in trainings])
    # Seeds side by side, or one whose checkpoint is damaged, end in another order.
    positions.sort(key=lambda position: position.seed)
    metrics.sort()
    return memory.read()


@contextlib.contextmanager
def _opened(
    run: ActiveRun,
    sessions: Sequence[TrainingSession],
    metrics: MetricsFile,
    progress: SeedsProgress,
    stop: Stop,
) -> Iterator[list[SeedTraining]]:
    """What trains seeds on each session, with a validation and a choice of depths of its own."""
    from experiments.training.adaptive import open_chooser
    from experiments.training.seed import SeedTraining

    config, workload, directory = run.config, run.workload, run.directory
    # A run of an earlier version is validated to its end as it was at its start.
    is_old = is_unknown(directory, workload.task)
    rows = config.graph.batch_size if is_old else workload.task.held_out_rows
    with contextlib.ExitStack() as stack:
        yield [
            SeedTraining(
                config, workload, directory, metrics, session, progress, stop,
                stack.enter_context(open_validation(config, workload.task, rows, stop)),
                stack.enter_context(open_chooser(config, workload, progress.log)),
            )
            for session in sessions
        ]  # fmt: skip


def _check_stop(stop: StopRequest, seed: int) -> None:
    """Import, build and compile take seconds each: a request to stop ends the run between them."""
    if stop.requested:
        raise Interrupted(f"stopped before seed {seed}")


def _restore_events(
    config: Config, directory: RunDirectory, finished: Sequence[Position]
) -> None:  # fmt: skip
    """Make the events of finished seeds those of their rows, some of which a kill may lose."""
    if not (config.logging.tensorboard and finished):
        return
    from experiments.training.tensorboard import open_events

    table = MetricsFile(directory.metrics).read()
    for position in finished:
        rows = [line.row for line in table.of_seed(position.seed)]
        open_events(config, directory, position.seed, rows).close()


def _summarize_unfinished(
    run: ActiveRun, status: str, positions: list[Position], reason: str
) -> None:
    """Write the summary of a run that ended early; an error here must not hide the first one."""
    try:
        summary = summarize(run.config, run.workload, run.directory, status, positions)
        run.directory.write_summary(summary | {"reason": reason})
    except (OSError, UsageError):
        pass


def _log_result(
    directory: RunDirectory, task: Task, summary: dict[str, Any], shown: Progress
) -> None:
    """The result in a few lines."""
    final, fresh = summary.get("final_loss") or {}, summary.get("fresh_loss")
    if final.get("mean") is None:
        return
    complete = sum(status == "complete" for status in summary["seeds"].values())
    shown.result(f"final loss {_spread(final, complete)}")
    if validation := summary.get("validation"):
        shown.result(f"best validation loss {_spread(validation['best_loss'], complete)}")
    if fresh and fresh.get("mean") is not None:
        shown.result(f"loss on fresh data {_spread(fresh, complete)}")
    for name, floor in summary.get("floors", {}).items():
        shown.result(f"  floor, {name}: {floor:.4f}")
    if task.probe is not None:
        for line in task.probe.describe(summary.get("probe", [])):
            shown.result(f"  {line}")
    shown.result(f"run directory: {directory.path}")


def _spread(losses: dict[str, Any], seeds: int) -> str:
    """A mean of the summary with its interval over so many seeds."""
    mean = f"{losses['mean']:.4f} nats per time step"
    low, high = losses.get("low"), losses.get("high")
    if low is None or high is None:
        return mean
    return f"{mean}, 95 % interval {low:.4f} to {high:.4f} over {seeds} seeds"
