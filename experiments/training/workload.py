"""The workload of a config: its task with the data read, and the number of updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.batching import Rows, cut_into_rows
from data.buckets import in_buckets
from data.task import DataError, Examples, Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.training import buckets, influence
from rnn_graphs.config import ModelConfig
from rnn_graphs.metrics import METRICS

VALIDATION = "valid"
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
    for problem in _problems(config, task):
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


def _problems_of_the_state(config: Config, task: Task) -> Iterator[str]:
    """Conflicts about the state that a window starts from."""
    kind, first = config.task.kind, config.model.initial_state
    if first != "zero" and config.model.bidirectional:
        yield (
            "model.initial_state: bidirectional layers start both directions from zeros; expected "
            f"zero, got {first}"
        )
    if not config.training.carry_state:
        if not task.carries_state:
            yield (
                f"training.carry_state: each example of {kind} starts anew, there is no state to "
                "carry; expected true, got false"
            )
        if task.held_out_rows is not None:
            yield (
                "task.held_out_rows: where training.carry_state is false, held-out data are read "
                f"in windows that start anew; expected null, got {task.held_out_rows}"
            )
    elif first != "zero" and task.carries_state:
        yield (
            f"model.initial_state: {kind} carries its state, so that only the first window of an "
            "epoch would start from this one; expected zero, or training.carry_state=false; "
            f"got {first}"
        )


def _problems_of_pairs(config: Config, task: Task) -> Iterator[str]:
    """Conflicts of a task whose losses each depend on all outputs of two rows."""
    if task.labels != "pairs":
        return
    kind, truncation = config.task.kind, config.truncation
    if config.graph.padding != "sequence_length":
        yield (
            f"graph.padding: {kind} adds up all outputs of a text, those of the padding too where "
            f"they are computed; expected sequence_length, got {config.graph.padding}"
        )
    if truncation.cuts or truncation.carries:
        yield (
            f"truncation.kind: the loss of {kind} depends on all outputs of a text, so that it has "
            f"no time step to count a depth from; expected full, got {truncation.kind}"
        )


def _problems_of_the_model(config: Config, task: Task) -> Iterator[str]:
    """Keys of the model that do not fit the task."""
    kind, model = config.task.kind, config.model
    if model.bidirectional and task.carries_state:
        yield (
            f"model.bidirectional: {kind} carries the state from window to window, and a "
            "bidirectional graph has none to carry: its first output has read the last input"
        )
    if model.bidirectional and config.graph.padding != "sequence_length":
        yield (
            "graph.padding: the backward direction would read the padding before the sequence; "
            "expected sequence_length where model.bidirectional is true, "
            f"got {config.graph.padding}"
        )
    if model.embedding and task.inputs == "features":
        yield f"model.embedding: the inputs of {kind} are features, not ids; expected null"
    if model.decoder == "own" and (task.decoder_ids is None or model.bidirectional):
        yield (
            f"model.decoder: {kind} has no inputs of a decoder, or the model reads in both "
            "directions; expected shared, got own"
        )
    default = ModelConfig.model_fields["initializer"].default
    if model.traits.kept and task.labels == "values" and model.initializer != default:
        yield (
            f"model.initializer: every weight of {model.cell} keeps its first value, and the head "
            f"of {kind} has none; expected {default}, got {model.initializer}"
        )


def _problems(config: Config, task: Task) -> Iterator[str]:
    """Conflicts between the config and the task, one message each."""
    kind = config.task.kind
    yield from _problems_of_the_model(config, task)
    if config.graph.padding != "mask" and task.carries_state:
        yield f"graph.padding: {kind} has no padding; expected mask, got {config.graph.padding}"
    elif config.graph.padding == "none" and not task.every_step_counts:
        yield (
            f"graph.padding: {kind} has no loss at some steps before the padding, so there is "
            "none that could count in the padding; expected mask or sequence_length, got none"
        )
    yield from _problems_of_the_state(config, task)
    yield from _problems_of_pairs(config, task)
    yield from buckets.problems(config, task)
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
        names = ", ".join(task.held_out)
        yield (
            f"training.validate_every: {kind} has no set {VALIDATION}, "
            f"{f'only {names}' if names else 'it has none'}; expected null"
        )
