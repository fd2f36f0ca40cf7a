"""Keys of a config that do not fit its task: one message for each."""

from __future__ import annotations

from collections.abc import Iterator

from data.task import VALIDATION, Task
from experiments.config.schema import Config
from experiments.training import buckets, influence_memory
from rnn_graphs.config import ModelConfig
from rnn_graphs.metrics import METRICS


def problems(config: Config, task: Task) -> Iterator[str]:
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
    if problem := influence_memory.problem(config, task):
        yield problem
    if config.training.validate_every and VALIDATION not in task.held_out:
        names = ", ".join(task.held_out)
        yield (
            f"training.validate_every: {kind} has no set {VALIDATION}, "
            f"{f'only {names}' if names else 'it has none'}; expected null"
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
