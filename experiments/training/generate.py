"""Write text with a trained model: one symbol after the other, each drawn from the softmax."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.tasks.text import Text
from experiments.errors import RunError, UsageError
from experiments.runs.directory import RunDirectory
from experiments.training.evaluate import Evaluator, find_checkpoint, load_into
from experiments.training.workload import make_workload


class Sampling(NamedTuple):
    """How to draw symbols."""

    length: int  # how many
    temperature: float  # of the softmax; at 0 the likeliest symbol
    seed: int


def generate_text(
    directory: RunDirectory, prompt: str, sampling: Sampling, checkpoint: str
) -> str:  # fmt: skip
    """The prompt and the symbols drawn after it, from the model of the run's first seed.

    The same seed gives the same text. Raises UsageError where the run is of no text, or the
    prompt has a symbol that the model does not know.
    """
    config = directory.read_config()
    task = make_workload(config).task
    if not isinstance(task, Text):
        raise UsageError(f"{directory.path}: a run of {config.task.kind} cannot write text")
    start = _encode(task, prompt)
    found = find_checkpoint(directory, config.training.first_seed, checkpoint)
    if found is None:
        raise RunError(f"{directory.path}: no {checkpoint} checkpoint to write with; train first")
    with Evaluator(config, task) as evaluator:
        load_into(evaluator, directory, found)
        written = _write(evaluator, start, sampling)
    return task.decode(np.concatenate([start, written]) if prompt else written)


def _encode(task: Text, prompt: str) -> NDArray[Any]:
    """The prompt's ids; without one, a line's end, as the first symbol of a text comes after it."""
    try:
        ids = task.encode(prompt or "\n")
    except ValueError as error:
        raise UsageError(f"--prompt: {error}") from error
    return np.asarray(ids)


def _write(evaluator: Evaluator, start: NDArray[Any], sampling: Sampling) -> NDArray[Any]:
    """Ids of the symbols after `start`, [length]."""
    stream, state = np.random.default_rng(sampling.seed), evaluator.first_state()
    read, written = start, []
    for _ in range(sampling.length):
        logits, state = evaluator.read(read, state)
        read = np.array([draw(logits, sampling.temperature, stream)], start.dtype)
        written.append(read)
    return np.concatenate(written)


def draw(logits: NDArray[Any], temperature: float, stream: np.random.Generator) -> int:
    """A class from softmax(logits / temperature); at temperature 0 the likeliest."""
    if temperature == 0:
        return int(np.argmax(logits))
    # The largest of the logits with Gumbel noise on them is a draw from their softmax.
    return int(np.argmax(logits / temperature + stream.gumbel(size=len(logits))))
