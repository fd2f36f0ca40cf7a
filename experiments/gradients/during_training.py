"""Gradients during the training of an experiment, and at the checkpoints of a run."""

from __future__ import annotations

from pathlib import Path

from experiments.config.schema import Config
from experiments.errors import RunError
from experiments.gradients.measurement import check_direction, check_losses, measure
from experiments.gradients.moments import along_training, of_run
from experiments.gradients.report import make_folder, report
from experiments.runs.directory import RunDirectory
from experiments.training.run_data import warn_if_unknown, workload_of_run
from experiments.training.workload import make_workload


def gradients(config: Config, out: Path, as_json: bool = False) -> None:
    """Train the experiment, measure its gradients at several moments and write them to `out`.

    Raises UsageError if `out` or the config cannot be used, RunError if training diverges.
    """
    check_direction(config)
    workload = make_workload(config)
    check_losses(config, workload.task)
    moments = along_training(config, workload)
    make_folder(out)
    report(config, workload.task, measure(config, workload.task, moments), out, as_json)


def gradients_of_run(
    directory: RunDirectory, which: str, data_changed: bool, out: Path, as_json: bool
) -> None:
    """Measure the gradients at the "last" or "best" checkpoints of a run.

    Raises UsageError if `out`, the config or the data cannot be used, RunError if a checkpoint
    cannot.
    """
    config = directory.read_config()
    check_direction(config)
    moments = of_run(directory, config.seeds, which)
    task = workload_of_run(config, directory, make_workload(config), data_changed).task
    check_losses(config, task)
    warn_if_unknown(directory, task)
    make_folder(out)
    try:
        measured = measure(config, task, moments)
    except ValueError as error:  # a cell of the user's has changed since
        raise RunError(f"{directory.path}: {error}") from error
    report(config, task, measured, out, as_json)
