"""One run, from its config to a complete run directory."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from data.streams import evaluation_stream
from data.task import Task
from data.tasks.binary_dependency import BinaryDependency
from experiments.config.compose import override_name
from experiments.config.schema import Config
from experiments.errors import Interrupted, RunError, UsageError
from experiments.interrupts import StopRequest, stop_request
from experiments.paths import RUNS
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Position
from experiments.runs.curves import curves
from experiments.runs.directory import RunDirectory
from experiments.runs.files import locked
from experiments.runs.metrics import read_metrics
from experiments.training.progress import Progress, progress
from experiments.training.resources import Means, OpenSession, one_session
from experiments.training.resume import find_resume_point
from experiments.training.summary import summarize
from experiments.training.workload import VALIDATION, Workload, make_workload

if TYPE_CHECKING:
    from experiments.training.seed import Validate

FINISHED = ("complete", "diverged")


class Job(NamedTuple):
    """A run under way, in a directory that no other process uses."""

    config: Config
    workload: Workload
    directory: RunDirectory
    line: Progress
    stop: StopRequest


def default_directory(config: Config, overrides: Sequence[str]) -> Path:
    """runs/<experiment>/<overrides or "default">."""
    return RUNS / config.name / override_name(overrides)


def train(config: Config, path: Path, overwrite: bool = False) -> dict[str, Any]:
    """Train a run to its end, going on where an earlier call stopped. Returns its summary.

    Raises UsageError (the directory cannot be used), Interrupted (asked to stop, the
    checkpoint is written) or RunError (a seed diverged, the disk is full, …).
    """
    with one_session() as open_session:
        return train_with(Means(open_session, progress), config, path, overwrite)


def train_with(means: Means, config: Config, path: Path, overwrite: bool = False) -> dict[str, Any]:
    """`train`, with what the process shares between its runs."""
    directory = RunDirectory(path)
    workload = make_workload(config)
    directory.check(config, overwrite)
    try:
        summary = _train_alone(means, config, workload, directory, overwrite)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                f"{path}: the disk is full ({error}); what is written is kept, "
                "and the same command goes on when there is room"
            ) from error
        raise RunError(f"{path}: {error}") from error
    if summary["status"] == "diverged":
        seeds = [seed for seed, status in summary["seeds"].items() if status == "diverged"]
        raise RunError(f"{path}: the loss was not finite for seed {', '.join(seeds)}")
    return summary


def _train_alone(
    means: Means, config: Config, workload: Workload, directory: RunDirectory, overwrite: bool
) -> dict[str, Any]:
    """Train, or say that it is done, while no other process uses the directory."""
    with locked(directory.path), means.progress(directory.log) as line, stop_request() as stop:
        directory.prepare(config, overwrite)
        summary = directory.read_summary()
        if summary.get("status") in FINISHED:
            line.say(f"{directory.path}: already {summary['status']}; --overwrite runs it again")
        else:
            job = Job(config, workload, directory, line, stop)
            summary = _train(job, means.open_session)
        _tell(directory, summary, line)
    return summary


def _train(job: Job, open_session: OpenSession) -> dict[str, Any]:
    """Train what is left, and leave a summary whatever happens."""
    positions: list[Position] = []
    directory = job.directory
    try:
        directory.write_summary({"status": "running", "name": job.config.name})
        _train_seeds(job, open_session, positions)
        worst = "diverged" if any(p.status == "diverged" for p in positions) else "complete"
        probes = _probe(job, positions)
        summary = summarize(job.config, job.workload, directory, worst, positions) | probes
        _plot(job.config, directory, summary["floors"])
        directory.write_summary(summary)
        return summary
    except (Interrupted, KeyboardInterrupt) as stopped:
        _leave(job, "interrupted", positions, str(stopped))
        reason = str(stopped) or "stopped"
        raise Interrupted(
            f"{directory.path}: {reason}; the same command goes on from there"
        ) from None
    except Exception as error:
        _leave(job, "failed", positions, f"{type(error).__name__}: {error}")
        raise


def _train_seeds(job: Job, open_session: OpenSession, positions: list[Position]) -> None:
    """Train the seeds that are not finished; fills `positions` as they end."""
    from experiments.training.seed import SeedTraining  # TensorFlow takes seconds to import

    config, workload, directory, line, stop = job
    point = find_resume_point(config, directory, line)
    positions += point.finished
    seeds = config.seeds[len(point.finished) :]
    if not seeds:
        return
    if stop.requested:  # building and compiling a graph may take long
        raise Interrupted(f"stopped before seed {seeds[0]}")
    session = open_session(config, workload)
    with _validation(config, workload.task) as validate:
        training = SeedTraining(config, workload, directory, session, line, stop, validate)
        for seed in seeds:
            start = training.start(seed)
            if point.checkpoint and point.checkpoint.position.seed == seed:
                line.say(f"seed {seed}: going on at update {point.checkpoint.position.updates}")
                start = training.restore(point.checkpoint)
            position = training.run(start)
            positions.append(position)
            line.say(
                f"seed {seed}: {position.status} at update {position.updates}, "
                f"{position.seconds:.1f} s"
            )


@contextlib.contextmanager
def _validation(config: Config, task: Task) -> Iterator[Validate | None]:
    """What validates the variables of a training graph; None where no epoch asks for it."""
    if config.training.validate_every is None:
        yield None
        return
    from experiments.training.evaluate import Evaluated, Evaluator

    drawn = task.evaluation(VALIDATION, evaluation_stream(config.training.first_seed))
    batch_size = min(config.graph.batch_size, len(drawn.inputs))
    with Evaluator(config, task) as evaluator:

        def validate(variables: dict[str, NDArray[Any]]) -> Evaluated:
            evaluator.restore(variables)
            return evaluator.evaluate(drawn, batch_size)

        yield validate


def _probe(job: Job, positions: Sequence[Position]) -> dict[str, Any]:
    """Ask each complete seed's model what it learned, where the task can tell."""
    config, task = job.config, job.workload.task
    if not isinstance(task, BinaryDependency):
        return {}
    from experiments.training.evaluate import Evaluator
    from experiments.training.probe import probe

    probes = []
    with Evaluator(config, task) as evaluator:
        for position in positions:
            found = checkpoints.newest(job.directory.checkpoints, position.seed)
            if position.status == "complete" and found.checkpoint:
                evaluator.restore(found.checkpoint.variables)
                probes.append(
                    probe(task, evaluator, position.seed, config.graph.batch_size)._asdict()
                )
    return {"probe": probes}


def _plot(config: Config, directory: RunDirectory, floors: dict[str, float]) -> None:
    from experiments.reporting.plots import Series, learning_curve_figure, save_figure

    rows = read_metrics(directory.metrics)
    found = {config.name: curves(rows), f"{config.name}, validation": curves(rows, VALIDATION)}
    series = [Series(label, curve) for label, curve in found.items() if curve.seeds]
    save_figure(
        learning_curve_figure(config.description or config.name, series, floors), directory.curve
    )


def _leave(job: Job, status: str, positions: list[Position], reason: str) -> None:
    """Note how a run ended early; what goes wrong here must not hide the first error."""
    try:
        summary = summarize(job.config, job.workload, job.directory, status, positions)
        job.directory.write_summary(summary | {"reason": reason})
    except (OSError, UsageError):
        pass


def _tell(directory: RunDirectory, summary: dict[str, Any], line: Progress) -> None:
    """The result in a few lines."""
    final = summary["final_loss"]
    if final["mean"] is None:
        return
    spread = ""
    if final["low"] is not None:
        seeds = len(final["per_seed"])
        spread = f", 95 % interval {final['low']:.4f} to {final['high']:.4f} over {seeds} seeds"
    line.say(f"final loss {final['mean']:.4f} nats per time step{spread}")
    for name, floor in summary["floors"].items():
        line.say(f"  floor, {name}: {floor:.4f}")
    for effect in _learned(summary.get("probe", [])):
        line.say(effect)
    line.say(f"run directory: {directory.path}")


def _learned(probes: list[dict[str, Any]]) -> list[str]:
    """How many seeds learned each dependency."""
    lines = []
    for column, first in enumerate(probes[0]["effects"] if probes else []):
        effects = [probe["effects"][column] for probe in probes]
        effects = [effect for effect in effects if effect["model"] is not None]
        if not effects:
            lines.append(f"  lag {first['lag']}: rows too short to tell")
            continue
        count = sum(effect["learned"] for effect in effects)
        mean = sum(effect["model"] for effect in effects) / len(effects)
        lines.append(
            f"  lag {first['lag']}: learned by {count} of {len(effects)} seeds "
            f"(effect {mean:+.3f}, true {first['true']:+.3f})"
        )
    return lines
