"""Text of a trained model: one symbol after the other, each drawn from the softmax."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import TextCodec
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training.text_model import TextModel, ids_of, open_text_model, tell_replaced


class Sampling(NamedTuple):
    """How to draw symbols."""

    length: int  # how many
    temperature: float  # of the softmax; at 0 the likeliest symbol
    seed: int
    top_k: int | None = None  # draw from so many of the likeliest symbols; None: from all
    at_spaces: bool = False  # draw only after white space, and take the likeliest symbol elsewhere


def generate_text(
    directory: RunDirectory, prompt: str, sampling: Sampling, checkpoint: str
) -> str:  # fmt: skip
    """The prompt and the symbols drawn after it, from the model of the run's first seed.

    The text that the model was trained on is not needed: the run keeps its vocabulary. The same
    seed gives the same text. Raises UsageError where the task has no text, the prompt has a
    symbol that the model does not know, or symbols are not the characters that `at_spaces` needs.
    """
    with open_text_model(directory, checkpoint) as model:
        codec = model.codec
        if sampling.at_spaces:
            _check_characters(codec)
        given = ids_of(codec, prompt, "--prompt")
        tell_replaced(codec, prompt, "--prompt")
        start = given if len(given) else np.asarray(codec.first())
        written = write(model, start, sampling)
    return codec.decode(np.concatenate([given, written]))


def _check_characters(codec: TextCodec) -> None:
    """Longer symbols hold the white space before a word, or none: hardly any would be drawn."""
    for symbol in codec.vocabulary:
        if len(symbol) > 1:
            raise UsageError(
                f"--at-spaces: expected a run of characters; its symbols are longer, as {symbol!r}"
            )


def write(model: TextModel, start: NDArray[Any], sampling: Sampling) -> NDArray[Any]:
    """Ids of the symbols after `start`, [length], or fewer where the text has an end."""
    evaluator, vocabulary = model.evaluator, model.codec.vocabulary
    stream, state = np.random.default_rng(sampling.seed), evaluator.first_state()
    read, written = start, []
    for _ in range(sampling.length):
        logits, state = evaluator.read(read, state)
        is_random = not sampling.at_spaces or vocabulary[read[-1]].isspace()
        temperature = sampling.temperature if is_random else 0
        read = np.array([draw(logits, temperature, stream, sampling.top_k)], start.dtype)
        written.append(read)
        if read[0] == model.codec.stop:
            break
    return np.concatenate(written)


def draw(
    logits: NDArray[Any], temperature: float, stream: np.random.Generator, top_k: int | None = None
) -> int:
    """A class from softmax(logits / temperature); at temperature 0 the likeliest.

    With `top_k`, only so many of the likeliest are drawn from.
    """
    if temperature == 0:
        return int(np.argmax(logits))
    # The largest of the logits with Gumbel noise on them is a draw from their softmax. Below the
    # largest, a very low temperature divides to −∞, which is never drawn.
    with np.errstate(over="ignore"):
        scaled = (logits - logits.max()).astype(np.float64) / temperature
    if top_k is not None and top_k < len(scaled):
        scaled[np.argsort(-scaled, kind="stable")[top_k:]] = -np.inf
    return int(np.argmax(scaled + stream.gumbel(size=len(logits))))
