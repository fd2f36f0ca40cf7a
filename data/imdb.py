"""IMDB's 50,000 film reviews (Maas et al. 2011), from the file imdb.npz of Keras.

The file holds reviews as pickled lists of word ranks. Unpickling a file that somebody else made
can run code, so two things stand in the way: a file that is not known by its SHA-256 is not
unpickled unless the user asks for it, and the unpickler makes lists, numbers and inert stand-ins
only, whatever the file asks for.
"""

from __future__ import annotations

import hashlib
import io
import pickle  # restricted, see `_Unpickler`
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from data.archives import open_archive, read_array
from data.documents import SHUFFLE_SEED, Documents, DocumentSets
from data.files import read_from
from data.pickles import MAX_NUMBERS, check_pickle
from data.task import DataError

REVIEWS = 25_000  # in each set
MAX_BYTES = 100_000_000  # of the file; Keras's has 17 MB
MAX_UNPACKED = 200_000_000  # bytes; Keras's unpacks to 28 MB
KNOWN_SHA256 = (
    # as Keras offers it
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    # the same reviews, written anew by NumPy 2
    "6814c0beea01878740d178d45caaf84fa878f5f452bd5f6bb6b5e3add8655f32",
)
ORIGIN = (
    "Keras's own `datasets.imdb.load_data` fetches the file imdb.npz and keeps it in its cache; "
    "the reviews themselves are on Andrew Maas's page at Stanford"
)
# What NumPy has put into pickled arrays over the years.
STOOD_IN_FOR = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def load_imdb(path: Path, trust_unknown_file: bool) -> DocumentSets:
    """The reviews, class 1 the positive ones, in the order of Keras's shuffle.

    Raises DataError where the file is missing, unknown or damaged.
    """
    content = read_from(path, ORIGIN, MAX_BYTES)
    found = hashlib.sha256(content).hexdigest()
    if found not in KNOWN_SHA256 and not trust_unknown_file:
        raise DataError(
            f"{path}: expected a file with the sha256 {' or '.join(KNOWN_SHA256)}, found {found}; "
            "it holds pickled objects, and task.trust_unknown_file=true reads it all the same"
        )
    stream = np.random.RandomState(SHUFFLE_SEED)
    try:
        with open_archive(content, MAX_UNPACKED) as archive:
            return DocumentSets(
                _shuffled(_documents(archive, "train"), stream),
                _shuffled(_documents(archive, "test"), stream),
            )
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{path}: not IMDB as Keras stores it: {error}") from error


def _documents(archive: zipfile.ZipFile, name: str) -> Documents:
    """One set in the file's order. Raises any exception where the file is damaged."""
    reviews = read_object_array(archive.read(f"x_{name}.npy"))
    classes = read_array(archive, f"y_{name}.npy")
    if len(reviews) != REVIEWS or classes.shape != (REVIEWS,):
        raise ValueError(
            f"expected {REVIEWS:,} reviews and labels in x_{name} and y_{name}, "
            f"found {len(reviews):,} and {classes.size:,}"
        )
    # A pickle can hold one long list under many names, and lists of lists.
    if sum(len(review) for review in reviews if isinstance(review, list)) > MAX_NUMBERS:
        raise ValueError(f"expected at most {MAX_NUMBERS:,} words in x_{name}")
    if not all(_is_ranks(review) for review in reviews):
        raise ValueError(f"expected lists of ranks from 1 in x_{name}")
    ranks = [np.array(review) for review in reviews]
    if not np.isin(classes, (0, 1)).all():
        raise ValueError(f"expected labels 0 and 1 in y_{name}")
    return Documents([review.astype(np.int32) for review in ranks], classes)


def _is_ranks(review: Any) -> bool:
    if not isinstance(review, list) or set(map(type, review)) != {int}:
        return False
    return bool(min(review) >= 1 and max(review) < 2**31)


def _shuffled(documents: Documents, stream: np.random.RandomState) -> Documents:
    order = stream.permutation(len(documents.ranks))
    return Documents([documents.ranks[place] for place in order], documents.classes[order])


class _StandIn:
    """An inert replacement for any class or function of a pickle. It keeps the state only."""

    def __init__(self, *_arguments: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STOOD_IN_FOR:
            raise pickle.UnpicklingError(f"an array of lists has no need of {module}.{name}")
        return _StandIn


def read_object_array(content: bytes) -> list[Any]:
    """The items of a pickled one-dimensional array, from the bytes of a .npy file.

    Runs nothing that the pickle names. Raises pickle.UnpicklingError where it names what NumPy
    does not use, and ValueError where the content is not such an array.
    """
    file = io.BytesIO(content)
    if npy.read_magic(file) != (1, 0):
        raise ValueError("expected version 1.0 of the .npy format")
    npy.read_array_header_1_0(file)
    check_pickle(content, file.tell())
    array = _Unpickler(file).load()
    # NumPy's state of an array: version, shape, dtype, whether in Fortran order, items.
    state = array.state if isinstance(array, _StandIn) else None
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[4], list):
        raise ValueError("expected a pickled array of lists")
    return state[4]
