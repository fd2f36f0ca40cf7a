"""The states and gates of a trained model along one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.streams import evaluation_stream
from data.task import Array, Examples, Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training.run_data import workload_of_run
from experiments.training.session import GraphSession, session_options, shape_of
from experiments.training.text_model import ids_of, task_of
from experiments.training.trained_weights import load_into, need_checkpoint
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig
from rnn_graphs.graphs.states import build_state_graph

PARTS = {1: ("h",), 2: ("c", "h")}  # names, by the number of parts of a state


class Recording(NamedTuple):
    """Values along one sequence."""

    title: str
    symbols: list[str]  # the input of each step, in words
    layers: list[dict[str, NDArray[np.float64]]]  # by layer and name, [time, units]


class SequenceOptions(NamedTuple):
    """The options of `states` that choose the sequence to read."""

    prompt: str | None  # of a task with text; None: held-out data
    length: int  # time steps at most
    example: int | None = None  # of tasks of examples, counted from 0; None: the first
    data_changed: bool = False  # whether held-out data may be others than those of the run


def record_run(directory: RunDirectory, options: SequenceOptions, checkpoint: str) -> Recording:
    """The states of the run's first seed.

    Raises UsageError where the model has no states along time, the task no such sequence, the
    held-out data are not those of the run, or an option is of no use; RunError without a
    checkpoint, or where it diverged.
    """
    _check_prompt(options)
    config = directory.read_config()
    if config.model.bidirectional:
        raise UsageError(
            f"{directory.path}: model.bidirectional: each direction has a state of its own; "
            "expected false"
        )
    if options.prompt is None:
        task = workload_of_run(config, directory, make_workload(config), options.data_changed).task
    else:
        task = task_of(config, directory)
    inputs, symbols = _sequence(task, config, options)
    found = need_checkpoint(directory, config.training.first_seed, checkpoint)
    shape = shape_of(task, config.training.carry_state)
    with StateReader(config.model, shape, config.graph.precision) as reader:
        load_into(reader, directory, found)
        layers = reader.read(inputs)
    return Recording(f"{config.name}: {config.model.cell}", symbols, layers)


def _check_prompt(options: SequenceOptions) -> None:
    """Raise UsageError for an option that a prompt leaves without use."""
    if options.prompt is None:
        return
    useless = {"--example": options.example is not None, "--data-changed": options.data_changed}
    for option, is_given in useless.items():
        if is_given:
            raise UsageError(
                f"{option}: --prompt is read, and no held-out data; expected only one of the two"
            )


class StateReader(GraphSession):
    """A session on a graph of one row that returns all states."""

    def __init__(self, model: ModelConfig, shape: Any, precision: str = "float64") -> None:
        self._states = build_state_graph(model, shape, precision)
        self._model = model
        super().__init__(self._states.graph, self._states.snapshot, session_options(1))

    def read(self, inputs: Array) -> list[dict[str, NDArray[np.float64]]]:
        """By layer: h, for an LSTM c, and each gate of the cell, [time, units]."""
        graph = self._states
        weights, encoded, first, states = self._session.run(
            (graph.snapshot.variables, graph.encoded, graph.first_state, graph.states),
            {graph.inputs: inputs[:, None]},
        )
        vectors = encoded[0] if self._model.decoder == "own" else encoded  # own: and whose they are
        x, found = vectors[:, 0], []
        for names, start, parts in zip(graph.variables, first, states, strict=True):
            after = [part[:, 0] for part in parts]
            before = [np.concatenate([s, a[:-1]]) for s, a in zip(start, after, strict=True)]
            named = dict(zip(_names(len(after)), after, strict=True))
            read_gates = self._model.traits.read_gates
            if read_gates is not None and self._model.decoder == "shared":
                own = [weights[name] for name in names]
                named |= read_gates(self._model, own, x, before, after)
            found.append({name: value.astype(np.float64) for name, value in named.items()})
            x = after[-1]
        return found


def _names(parts: int) -> Sequence[str]:
    """Of the parts of a layer's state. A cell of the user's own may have any number of them."""
    return PARTS.get(parts) or [f"state part {place}" for place in range(1, parts + 1)]


def _sequence(task: Task, config: Config, options: SequenceOptions) -> tuple[Array, list[str]]:
    """The inputs, [time, …], and each of them in words."""
    if options.prompt is not None:
        return _prompt(task, config, options)
    if not task.held_out:
        raise UsageError(f"{config.task.kind} has no held-out data; expected --prompt")
    split = task.held_out[0]
    drawn = task.evaluation(split, evaluation_stream(config.training.first_seed))
    if isinstance(drawn, Examples):
        inputs = _example(drawn, options.example or 0, split)
    elif options.example is None:
        inputs = drawn.inputs
    else:
        raise UsageError(
            f"--example: the data are one sequence; expected no --example, got {options.example}"
        )
    inputs = inputs[: options.length]
    return inputs, _in_words(task, inputs)


def _example(drawn: Examples, place: int, split: str) -> Array:
    """The inputs of one example, [time, …]."""
    if place >= len(drawn.inputs):
        raise UsageError(
            f"--example: expected less than the {len(drawn.inputs):,} of {split}; got {place}"
        )
    inputs: Array = drawn.inputs[place][: drawn.lengths[place]]
    return inputs


def _prompt(task: Task, config: Config, options: SequenceOptions) -> tuple[Array, list[str]]:
    if task.codec is None:
        raise UsageError(f"--prompt: {config.task.kind} has no text; expected no --prompt")
    ids = ids_of(task.codec, options.prompt or "", "--prompt")[: options.length]
    if not len(ids):
        raise UsageError("--prompt: expected at least one symbol, got none")
    return ids, _in_words(task, ids)


def _in_words(task: Task, inputs: Sequence[Any] | Array) -> list[str]:
    if task.codec is not None:
        vocabulary = task.codec.vocabulary
        return [vocabulary[index].replace("\n", "\\n").replace(" ", "␣") for index in inputs]
    if task.inputs == "ids":
        return [str(index) for index in inputs]
    return [str(step) for step in range(len(inputs))]
