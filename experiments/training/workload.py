"""The workload of a config: its task with the data read, and the number of updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from data.task import DataError, Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training import influence
from rnn_graphs.metrics import METRICS

VALIDATION = "valid"
WORTH_A_NOTE = 0.01  # of the data


class Workload(NamedTuple):
    """The work of each seed."""

    task: Task
    updates_per_epoch: int
    updates: int  # optimizer steps of one seed, if nothing stops it early
    notes: tuple[str, ...] = ()  # remarks about the data, to read before training


def make_workload(config: Config, vocabulary: tuple[str, ...] | None = None) -> Workload:
    """Read the data, in this vocabulary if one is given, and check that the config fits them.

    Raises UsageError, in one line, where a file or a key is not as it should be.
    """
    try:
        task = config.task.make() if vocabulary is None else config.task.make_with(vocabulary)
    except DataError as error:
        raise UsageError(f"experiment {config.name}: {error}") from error
    for problem in _problems(config, task):
        raise UsageError(f"experiment {config.name}: {problem}")
    graph, context = config.graph, config.truncation.context_steps
    try:
        updates = task.windows(graph.batch_size, graph.num_steps, context)
    except ValueError as error:
        raise UsageError(f"experiment {config.name}: {error}") from error
    left_out = task.left_out(graph.batch_size, graph.num_steps, context)
    notes = (*task.notes, *([_left_out_note(left_out)] if left_out >= WORTH_A_NOTE else []))
    return Workload(task, updates, updates * config.training.epochs, notes)


def _left_out_note(share: float) -> str:
    return (
        f"training leaves out {share:.0%} of the data, the same in every epoch: the end does not "
        "fill graph.batch_size rows with windows of graph.num_steps; with task.rotate=true each "
        "epoch begins at another place"
    )


def _problems(config: Config, task: Task) -> Iterator[str]:
    """Conflicts between the config and the task, one message each."""
    kind = config.task.kind
    if config.model.bidirectional and task.carries_state:
        yield (
            f"model.bidirectional: {kind} carries the state from window to window, and a "
            "bidirectional graph has none to carry: its first output has read the last input"
        )
    if config.model.bidirectional and config.graph.padding == "mask":
        yield (
            "graph.padding: the backward direction would read the padding before the sequence; "
            "expected sequence_length where model.bidirectional is true, got mask"
        )
    if config.model.embedding and task.inputs == "features":
        yield f"model.embedding: the inputs of {kind} are features, not ids; expected null"
    if config.graph.padding == "sequence_length" and task.carries_state:
        yield f"graph.padding: {kind} has no padding; expected mask, got sequence_length"
    for name in config.logging.metrics:
        if task.labels not in METRICS[name].labels:
            yield (
                f"logging.metrics: {name} is for labels that are "
                f"{' or '.join(METRICS[name].labels)}; the labels of {kind} are {task.labels}"
            )
    if config.truncation.chooses and not task.carries_state:
        yield (
            f"truncation.kind: {config.truncation.kind} chooses its depth on one sequence; {kind} "
            "has examples, and carries no state"
        )
    if problem := influence.problem(config, task):
        yield problem
    if config.training.validate_every and VALIDATION not in task.held_out:
        yield (
            f"training.validate_every: {kind} has no set {VALIDATION}, only "
            f"{', '.join(task.held_out)}; expected null"
        )
