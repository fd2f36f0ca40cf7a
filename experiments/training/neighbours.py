"""The words whose vectors are nearest to that of a word."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training.text_model import open_text_model
from rnn_graphs.initializers import EMBEDDING


class Neighbour(NamedTuple):
    """A symbol and the cosine of the angle between its vector and the word's."""

    symbol: str
    cosine: float


def neighbours(
    directory: RunDirectory, word: str, count: int, checkpoint: str
) -> list[Neighbour]:  # fmt: skip
    """The `count` symbols nearest to `word` in the embedding of the run's first seed.

    Raises UsageError where the model has no embedding, or the vocabulary lacks the word.
    """
    config = directory.read_config()
    if config.model.embedding is None:
        raise UsageError(
            f"{directory.path}: model.embedding is null, so that its symbols have no vectors"
        )
    with open_text_model(directory, checkpoint) as model:
        vocabulary = model.codec.vocabulary
        vectors = model.checkpoint.variables[f"model/{EMBEDDING}"]
    if word not in vocabulary:
        raise UsageError(f"WORD: {word!r} is not in the vocabulary of {len(vocabulary):,} symbols")
    place = vocabulary.index(word)
    cosines = cosines_to(vectors, place)
    order = [index for index in np.argsort(-cosines, kind="stable") if index != place]
    return [Neighbour(vocabulary[index], float(cosines[index])) for index in order[:count]]


def cosines_to(vectors: NDArray[Any], place: int) -> NDArray[np.float64]:
    """The cosine of each row with row `place`; 0 for a row of zeros."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    products: NDArray[np.float64] = wide @ wide[place]
    scale = lengths * lengths[place]
    cosines: NDArray[np.float64] = np.zeros_like(products)
    np.divide(products, scale, out=cosines, where=scale > 0)
    return cosines
