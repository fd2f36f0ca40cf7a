"""Text of a trained model: one symbol after the other, each drawn from the softmax."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import Task, TextCodec
from experiments.config.schema import Config
from experiments.errors import RunError, UsageError
from experiments.runs.data_identity import read_identity
from experiments.runs.directory import RunDirectory
from experiments.training.evaluate import Evaluator, find_checkpoint, load_into
from experiments.training.run_data import is_unknown, warning
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

    The text that the model was trained on is not needed: the run keeps its vocabulary. The same
    seed gives the same text. Raises UsageError where the task has no text, or the prompt has a
    symbol that the model does not know.
    """
    config = directory.read_config()
    task = _task(config, directory)
    if task.codec is None:
        raise UsageError(f"{directory.path}: a run of {config.task.kind} cannot write text")
    given = _encode(task.codec, prompt)
    found = find_checkpoint(directory, config.training.first_seed, checkpoint)
    if found is None:
        raise RunError(f"{directory.path}: no {checkpoint} checkpoint to write with; train first")
    with Evaluator(config, task) as evaluator:
        load_into(evaluator, directory, found)
        start = given if len(given) else np.asarray(task.codec.first())
        written = _write(evaluator, start, sampling)
    return task.codec.decode(np.concatenate([given, written]))


def _task(config: Config, directory: RunDirectory) -> Task:
    """The run's task, with the vocabulary of the run rather than that of its file."""
    known = read_identity(directory)
    if known is not None and known.vocabulary is not None:
        task = config.task.without_data(known.vocabulary)
        if task is not None:
            return task
    task = make_workload(config).task
    if is_unknown(directory, task):
        print(warning(directory), file=sys.stderr)
    return task


def _encode(codec: TextCodec, prompt: str) -> NDArray[Any]:
    """The prompt's ids; a word that the model does not know is named on standard error."""
    try:
        ids = codec.encode(prompt)
    except ValueError as error:
        raise UsageError(f"--prompt: {error}") from error
    for symbol in codec.replaced(prompt):
        print(f"--prompt: {symbol!r} is not in the vocabulary; read as <unk>", file=sys.stderr)
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
    # The largest of the logits with Gumbel noise on them is a draw from their softmax. Below the
    # largest, a very low temperature divides to −∞, which is never drawn.
    with np.errstate(over="ignore"):
        scaled = (logits - logits.max()).astype(np.float64) / temperature
    return int(np.argmax(scaled + stream.gumbel(size=len(logits))))
