"""The workload of a config: its task with the data read, and the number of updates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data.batching import Rows, cut_into_rows
from data.buckets import in_buckets
from data.task import DataError, Examples, Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training import buckets
from experiments.training.conflicts import problems

WORTH_A_NOTE = 0.01  # of the data


class Workload(NamedTuple):
    """The work of each seed."""

    task: Task
    updates_per_epoch: int
    updates: int  # optimizer steps of one seed, if nothing stops it early
    notes: tuple[str, ...] = ()  # remarks about the data, to read before training
    padded: tuple[int, ...] = ()  # the padded length of each bucket of examples; (): no buckets

    def draw(self, stream: np.random.RandomState, batch_size: int) -> Rows:
        """One epoch of training data in rows."""
        drawn = self.task.draw(stream)
        if self.padded and isinstance(drawn, Examples):
            drawn = in_buckets(drawn, self.padded, batch_size, stream)
        return cut_into_rows(drawn, batch_size)


def make_workload(config: Config, vocabulary: tuple[str, ...] | None = None) -> Workload:
    """Read the data, in this vocabulary if one is given, and check that the config fits them.

    Raises UsageError, in one line, if a file or a key is wrong.
    """
    try:
        task = config.task.make() if vocabulary is None else config.task.make_with(vocabulary)
    except DataError as error:
        raise UsageError(f"experiment {config.name}: {error}") from error
    for problem in problems(config, task):
        raise UsageError(f"experiment {config.name}: {problem}")
    graph, context = config.graph, config.truncation.context_steps
    try:
        updates = task.windows(graph.batch_size, graph.num_steps, context)
    except ValueError as error:
        raise UsageError(f"experiment {config.name}: {error}") from error
    left_out = task.left_out(graph.batch_size, graph.num_steps, context)
    notes = [*task.notes, *([_left_out_note(left_out)] if left_out >= WORTH_A_NOTE else [])]
    padded = buckets.padded_lengths(config, task)
    if padded:
        notes.append(buckets.note(task, padded))
    return Workload(task, updates, updates * config.training.epochs, tuple(notes), padded)


def _left_out_note(share: float) -> str:
    return (
        f"training leaves out {share:.0%} of the data, the same in every epoch: the end does not "
        "fill graph.batch_size rows with windows of graph.num_steps; with task.rotate=true each "
        "epoch begins at another place"
    )
