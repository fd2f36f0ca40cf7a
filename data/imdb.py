"""IMDB's 50,000 film reviews (Maas et al. 2011), from the file imdb.npz of Keras.

The file holds reviews as pickled lists of word ranks. Unpickling a file that somebody else made
can run code, so two things stand in the way: a file that is not known by its SHA-256 is not
unpickled unless the user asks for it, and data/object_arrays.py runs nothing that a file names.
"""

from __future__ import annotations

import reprlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.archives import open_archive, read_array
from data.documents import (
    INDEX_FROM,
    OUT_OF_VOCABULARY,
    SHUFFLE_SEED,
    START,
    Documents,
    DocumentSets,
)
from data.files import read_from, source
from data.object_arrays import read_object_array
from data.task import DataError

REVIEWS = 25_000  # in each set
MAX_BYTES = 100_000_000  # of the file; Keras's has 17 MB
MAX_UNPACKED = 200_000_000  # bytes; Keras's unpacks to 28 MB
KNOWN_SHA256 = (
    # as Keras offers it
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    # the same reviews, saved again by NumPy 2
    "6814c0beea01878740d178d45caaf84fa878f5f452bd5f6bb6b5e3add8655f32",
)
ORIGIN = (
    "Keras's own `datasets.imdb.load_data` fetches the file imdb.npz and keeps it in its cache; "
    "the reviews themselves are on Andrew Maas's page at Stanford"
)
SHOWN = 60  # characters of a bad review
HIGHEST_RANK = np.iinfo(np.int32).max - INDEX_FROM  # so that its id fits into 32 bits


def load_imdb(path: Path, trust_unknown_file: bool) -> DocumentSets:
    """The reviews, class 1 the positive ones, in the order of Keras's shuffle.

    Raises DataError where the file is missing, unknown or damaged.
    """
    content = read_from(path, ORIGIN, MAX_BYTES)
    found = source(path, content)
    if found.sha256 not in KNOWN_SHA256 and not trust_unknown_file:
        raise DataError(
            f"{path}: expected a file with the sha256 {' or '.join(KNOWN_SHA256)}, found "
            f"{found.sha256}; it holds pickled objects, and task.trust_unknown_file=true reads it "
            "all the same"
        )
    try:
        with open_archive(content, MAX_UNPACKED) as archive:
            train, test = (_documents(archive, name) for name in ("train", "test"))
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{path}: not IMDB as Keras stores it: {error}") from error
    notes: tuple[str, ...] = ()
    if _is_encoded(train) and _is_encoded(test):
        train, test = _decoded(train), _decoded(test)
        notes = (f"{path}: holds what Keras's load_data returned, ids and not ranks; read as such",)
    stream = np.random.RandomState(SHUFFLE_SEED)
    return DocumentSets(_shuffled(train, stream), _shuffled(test, stream), found, notes)


def _documents(archive: zipfile.ZipFile, name: str) -> Documents:
    """One set in the file's order. Raises any exception where the file is damaged."""
    items = read_object_array(archive.read(f"x_{name}.npy"))
    classes = read_array(archive, f"y_{name}.npy")
    if len(items) != REVIEWS or classes.shape not in ((REVIEWS,), (REVIEWS, 1)):
        raise ValueError(
            f"expected {REVIEWS:,} reviews and labels in x_{name} and y_{name}, "
            f"found {len(items):,} and {classes.size:,}"
        )
    if not np.isin(classes, (0, 1)).all():
        raise ValueError(f"expected labels 0 and 1 in y_{name}")
    ranks = [_ranks(item, f"review {number} of x_{name}") for number, item in enumerate(items)]
    return Documents(ranks, classes.ravel().astype(np.int64))


def _ranks(item: Any, name: str) -> NDArray[np.int32]:
    """A review's ranks, [words]; those too high for any vocabulary are lowered to fit."""
    review = np.array(item) if _is_flat(item) else np.array(None)
    if review.ndim != 1 or review.dtype.kind not in "iu" or not review.size or review.min() < 1:
        found = reprlib.repr(item)  # lists of lists may be endless
        raise ValueError(
            f"{name}, counted from 0: expected a list of ranks from 1, "
            f"found {found if len(found) < SHOWN else found[:SHOWN] + '…'}"
        )
    ranks: NDArray[np.int32] = np.minimum(review, HIGHEST_RANK).astype(np.int32)
    return ranks


def _is_flat(item: Any) -> bool:
    """Whether an array, or a list of whole numbers: lists of lists may stand for endless ones."""
    if isinstance(item, list):
        return all(issubclass(kind, (int, np.integer)) for kind in set(map(type, item)))
    return isinstance(item, np.ndarray)


def _is_encoded(documents: Documents) -> bool:
    """Whether the reviews are ids already: each begins with START, and has it nowhere else.

    As a rank, it would be the most frequent word of all.
    """
    return all(
        ranks[0] == START and not np.isin(ranks[1:], (START, INDEX_FROM)).any()
        for ranks in documents.ranks
    )


def _decoded(documents: Documents) -> Documents:
    """The documents with the ranks that their ids stand for."""
    ranks = [
        np.where(ids == OUT_OF_VOCABULARY, HIGHEST_RANK, ids - INDEX_FROM).astype(np.int32)
        for ids in (each[1:] for each in documents.ranks)
    ]
    return documents._replace(ranks=ranks)


def _shuffled(documents: Documents, stream: np.random.RandomState) -> Documents:
    order = stream.permutation(len(documents.ranks))
    return Documents([documents.ranks[place] for place in order], documents.classes[order])
