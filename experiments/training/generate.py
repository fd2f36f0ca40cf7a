"""Text of a trained model: one symbol after the other, each drawn from the softmax."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import TextCodec
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

    The same seed gives the same text. Raises UsageError where the task has no text, or the
    prompt has a symbol that the model does not know.
    """
    config = directory.read_config()
    task = make_workload(config).task
    if task.codec is None:
        raise UsageError(f"{directory.path}: a run of {config.task.kind} cannot write text")
    start = _encode(task.codec, prompt)
    found = find_checkpoint(directory, config.training.first_seed, checkpoint)
    if found is None:
        raise RunError(f"{directory.path}: no {checkpoint} checkpoint to write with; train first")
    with Evaluator(config, task) as evaluator:
        load_into(evaluator, directory, found)
        written = _write(evaluator, start, sampling)
    return task.codec.decode(np.concatenate([start, written]) if prompt else written)


def _encode(codec: TextCodec, prompt: str) -> NDArray[Any]:
    """The prompt's ids. An empty prompt is a line's end: the text begins on a new line."""
    try:
        ids = codec.encode(prompt or "\n")
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
