"""Documents of two classes as sequences of word ids, by Keras's conventions.

Source: Keras, `datasets.imdb.load_data` and `pad_sequences`, with their default arguments.
Id 0 is padding, 1 the start of a document, 2 a word outside of the vocabulary; the word of
rank r, from 1 for the most frequent, has the id r + 3.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import Source

SHUFFLE_SEED = 113
PADDING, START, OUT_OF_VOCABULARY = 0, 1, 2
INDEX_FROM = 3  # added to a rank

End = Literal["start", "end"]


class Documents(NamedTuple):
    """Documents as the ranks of their words, with their classes."""

    ranks: list[NDArray[np.int32]]
    classes: NDArray[np.int64]  # [count], 0 or 1


class DocumentSets(NamedTuple):
    """Documents for training and for testing."""

    train: Documents
    test: Documents
    source: Source
    notes: tuple[str, ...] = ()


class Padded(NamedTuple):
    """Sequences of ids, padded or cut to one length."""

    ids: NDArray[np.int32]  # [count, length]
    lengths: NDArray[np.int32]  # [count], before padding at the end


def encode(ranks: NDArray[np.int32], vocabulary_size: int) -> NDArray[np.int32]:
    """START, then the ids of the words; all are below `vocabulary_size`."""
    ids = ranks + INDEX_FROM
    ids[ids >= vocabulary_size] = OUT_OF_VOCABULARY
    return np.concatenate([np.array([START], np.int32), ids])


def pad_sequences(
    sequences: list[NDArray[np.int32]], length: int, pad: End, truncate: End
) -> Padded:
    """Pad short sequences with PADDING and cut long ones, each at the given end.

    Padding at the start is read like words, so those sequences are all `length` long.
    """
    ids = np.full((len(sequences), length), PADDING, np.int32)
    lengths = np.full(len(sequences), length, np.int32)
    for number, sequence in enumerate(sequences):
        kept = sequence[-length:] if truncate == "start" else sequence[:length]
        if pad == "start":
            ids[number, length - len(kept) :] = kept
        else:
            ids[number, : len(kept)] = kept
            lengths[number] = len(kept)
    return Padded(ids, lengths)
