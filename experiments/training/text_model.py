"""A trained model of text, opened without the text that it was trained on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import Task, TextCodec
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.data_identity import read_identity
from experiments.runs.directory import RunDirectory
from experiments.training.evaluator import Evaluator
from experiments.training.run_data import warn_if_unknown
from experiments.training.trained_weights import load_into, need_checkpoint
from experiments.training.workload import make_workload


class TextModel(NamedTuple):
    """The model of a run's first seed, with the run's own vocabulary."""

    codec: TextCodec
    evaluator: Evaluator
    checkpoint: Checkpoint


@contextlib.contextmanager
def open_text_model(directory: RunDirectory, checkpoint: str) -> Iterator[TextModel]:
    """Open the "last" or "best" checkpoint of a run's first seed.

    Raises UsageError where the task has no text, RunError where there is no checkpoint.
    """
    config = directory.read_config()
    task = task_of(config, directory)
    if task.codec is None:
        raise UsageError(f"{directory.path}: a run of {config.task.kind} has no text")
    found = need_checkpoint(directory, config.training.first_seed, checkpoint)
    with Evaluator(config, task) as evaluator:
        load_into(evaluator, directory, found)
        yield TextModel(task.codec, evaluator, found)


def task_of(config: Config, directory: RunDirectory) -> Task:
    """The run's task, with the vocabulary of the run rather than that of its file."""
    known = read_identity(directory)
    if known is not None and known.vocabulary is not None:
        task = config.task.without_data(known.vocabulary)
        if task is not None:
            return task
    task = make_workload(config).task
    warn_if_unknown(directory, task)
    return task


def ids_of(codec: TextCodec, text: str, argument: str) -> NDArray[Any]:
    """The ids, [symbols], of a text that is an argument of the command line.

    Raises UsageError, which names the argument, for a symbol that the model does not know.
    """
    try:
        return np.asarray(codec.encode(text))
    except ValueError as error:
        raise UsageError(f"{argument}: {error}") from error


def tell_replaced(codec: TextCodec, text: str, argument: str) -> None:
    """Name on standard error each symbol of the text that is read as the unknown one."""
    for symbol in codec.replaced(text):
        print(f"{argument}: {symbol!r} is not in the vocabulary; read as <unk>", file=sys.stderr)
