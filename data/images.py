"""Images of handwritten digits: scikit-learn's 8×8, and MNIST's 28×28 from its IDX files."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.files import Found, find, read_from, source
from data.task import DataError, Source

SMALL_TEST_IMAGES = 360  # a fifth of scikit-learn's 1797

UNSIGNED_BYTES = 8  # the IDX format's code of the type
GZIP = b"\x1f\x8b"  # how a gzip file begins
GZIP_SLACK = 1 << 20  # bytes that a packed file may be longer than its content
MNIST_ORIGIN = (
    "the four files of the MNIST database, from train-images-idx3-ubyte.gz to "
    "t10k-labels-idx1-ubyte.gz, are on Yann LeCun's page and on its many mirrors; "
    "they may stay packed or not"
)


class Images(NamedTuple):
    """Images with the digit that each shows."""

    pixels: NDArray[np.float32]  # [count, rows, columns], from 0 to 1
    digits: NDArray[np.int64]  # [count], 0 to 9


class ImageSets(NamedTuple):
    """Images for training and for testing."""

    train: Images
    test: Images
    sources: tuple[Source, ...]


class Idx(NamedTuple):
    """The expected content of one of MNIST's files."""

    name: str
    shape: tuple[int, ...]
    md5: str  # of the unpacked file


TRAIN_PIXELS = Idx("train-images-idx3-ubyte", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb")
TRAIN_DIGITS = Idx("train-labels-idx1-ubyte", (60_000,), "a25bea736e30d166cdddb491f175f624")
TEST_PIXELS = Idx("t10k-images-idx3-ubyte", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea")
TEST_DIGITS = Idx("t10k-labels-idx1-ubyte", (10_000,), "27ae3e4e09519cfbb04c329615203637")
MNIST = (TRAIN_PIXELS, TRAIN_DIGITS, TEST_PIXELS, TEST_DIGITS)


@functools.lru_cache(maxsize=1)  # each point of a sweep asks for its data
def small_digits() -> ImageSets:
    """scikit-learn's 1797 digits, the last 360 in its order for testing; not to be written to.

    Neighbours are often by one writer. Testing on the end of the order, rather than on a random
    part, asks for digits by other writers than in training.
    """
    from sklearn.datasets import load_digits  # takes more than a second, for this source alone

    content = load_digits()
    pixels = (content.images / 16).astype(np.float32)
    train, test = slice(-SMALL_TEST_IMAGES), slice(-SMALL_TEST_IMAGES, None)
    digits = content.target
    return ImageSets(
        _read_only(pixels[train], digits[train]),
        _read_only(pixels[test], digits[test]),
        (source("sklearn.datasets.load_digits", content.images.tobytes() + digits.tobytes()),),
    )


def mnist(folder: Path) -> ImageSets:
    """MNIST's 60,000 and 10,000 images, not to be written to.

    Raises DataError where a file is not the known one.
    """
    places = (_place(folder, each.name) for each in MNIST)
    return _mnist(folder, tuple(find(place, MNIST_ORIGIN) for place in places))


@functools.lru_cache(maxsize=1)  # each point of a sweep asks for its data
def _mnist(folder: Path, _files: tuple[Found, ...]) -> ImageSets:
    """Read the files as they are now: a change is another call."""
    files = [read_idx(folder, each) for each in MNIST]
    sources = tuple(
        source(folder / each.name, array.tobytes())
        for each, array in zip(MNIST, files, strict=True)
    )
    return ImageSets(_images(*files[:2]), _images(*files[2:]), sources)


def _images(pixels: NDArray[np.uint8], digits: NDArray[np.uint8]) -> Images:
    return _read_only(np.divide(pixels, 255, dtype=np.float32), digits.astype(np.int64))


def _read_only(pixels: NDArray[np.float32], digits: NDArray[np.int64]) -> Images:
    pixels.flags.writeable = digits.flags.writeable = False
    return Images(pixels, digits)


def read_idx(folder: Path, expected: Idx) -> NDArray[np.uint8]:
    """One file, packed or not, as an array of the expected shape. Raises DataError."""
    path = _place(folder, expected.name)
    header = struct.pack(
        f">4B{len(expected.shape)}I", 0, 0, UNSIGNED_BYTES, len(expected.shape), *expected.shape
    )
    size = len(header) + int(np.prod(expected.shape))
    content = _unpacked(path, size + 1)
    _check(path, "magic number", content[:4].hex(), header[:4].hex())
    _check(path, "dimensions", _dimensions(content[4 : len(header)]), _dimensions(header[4:]))
    _check(path, "size, unpacked,", _bytes(len(content), size), _bytes(size, size))
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    _check(path, "MD5, unpacked,", found, expected.md5)
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(expected.shape)


def _place(folder: Path, name: str) -> Path:
    """The file with something in it under one of the names that mirrors give it.

    Some write train-images.idx3-ubyte. Unpackers leave folders and empty files of the name.
    """
    dotted = ".idx".join(name.rsplit("-idx", 1))
    places = [folder / f"{each}{end}" for end in ("", ".gz") for each in (name, dotted)]
    filled = (place for place in places if place.is_file() and place.stat().st_size)
    return next(filled, next(filter(Path.is_file, places), folder / f"{name}.gz"))


def _unpacked(path: Path, most: int) -> bytes:
    """At most this many bytes of the content.

    It is unpacked where its first bytes are those of gzip: names are often wrong.
    """
    content = read_from(path, MNIST_ORIGIN, most + GZIP_SLACK)
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return file.read(most)  # a few bytes may unpack to gigabytes
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: expected a whole gzip file: {error}") from error


def _check(path: Path, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise DataError(f"{path}: expected the {what} {expected}, found {found or 'nothing'}")


def _bytes(count: int, most: int) -> str:
    return f"more than {most:,} bytes" if count > most else f"{count:,} bytes"


def _dimensions(part: bytes) -> str:
    """Whole big-endian numbers of a header, such as "60000×28×28"."""
    return "×".join(
        str(number) for (number,) in struct.iter_unpack(">I", part[: len(part) // 4 * 4])
    )
