"""Whether the data of a run are still those that it was trained on."""

from __future__ import annotations

import sys

from data.task import Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.data_identity import (
    DataIdentity,
    differences,
    read_identity,
    write_identity,
)
from experiments.runs.directory import RunDirectory
from experiments.training.workload import Workload, make_workload

ALLOWED = "--data-changed"


def check_data(directory: RunDirectory, task: Task) -> None:
    """Raise UsageError, naming the file, where the run was trained on other data."""
    known = read_identity(directory)
    for difference in differences(known.sources, task.sources) if known else ():
        raise UsageError(
            f"run directory {directory.path}: trained on other data: {difference}; {ALLOWED} uses "
            "the data as they are now, in the vocabulary of the run"
        )


def workload_of_run(
    config: Config, directory: RunDirectory, workload: Workload, data_changed: bool
) -> Workload:
    """The workload with the data in the vocabulary of the run, which a changed text may lack.

    Raises UsageError where the data are not those that the run was trained on, unless
    `data_changed` allows it.
    """
    if not data_changed:
        check_data(directory, workload.task)
    known = read_identity(directory)
    if known is None or known.vocabulary in (None, vocabulary_of(workload.task)):
        return workload
    return make_workload(config, known.vocabulary)


def record_data(directory: RunDirectory, task: Task) -> None:
    """Write data.json for a run that starts, or that continues on changed data.

    A run of an earlier version, which has rows already, stays without one.
    """
    known = read_identity(directory)
    if known is None and task.sources and not directory.metrics.exists():
        write_identity(directory, DataIdentity(task.sources, vocabulary_of(task), ()))
    elif known is not None and any(differences(known.sources, task.sources)):
        replaced = (*known.replaced, known.sources)
        write_identity(directory, DataIdentity(task.sources, known.vocabulary, replaced))


def is_unknown(directory: RunDirectory, task: Task) -> bool:
    """Whether nothing says which data the run was trained on: an earlier version wrote it."""
    return bool(task.sources) and directory.metrics.exists() and not directory.data.exists()


def warn_if_unknown(directory: RunDirectory, task: Task) -> None:
    """Say on standard error that the data of the run are unknown, if they are."""
    if is_unknown(directory, task):
        print(warning(directory), file=sys.stderr)


def warning(directory: RunDirectory) -> str:
    """A line about a run whose data are unknown."""
    return (
        f"{directory.path}: an earlier version trained this run and kept no hash of its data; "
        "if a file has changed since, the results are wrong"
    )


def vocabulary_of(task: Task) -> tuple[str, ...] | None:
    """The symbol of each id of a text; None where the data are no text."""
    return None if task.codec is None else task.codec.vocabulary
