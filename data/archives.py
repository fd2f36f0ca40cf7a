"""Zip archives of arrays (.npz), checked before anything of them is unpacked.

An archive can promise far more than it holds: a member of a few bytes that unpacks to gigabytes,
or a header that names an array of a thousand billion items.
"""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MAX_MEMBERS = 10_000
ENTRY = b"PK\x01\x02"  # how each member's entry in the directory of an archive begins
MAX_RATIO = 1032  # of deflate
SLACK = 1024  # bytes; a short member may be packed better than that ratio tells


@contextlib.contextmanager
def open_archive(content: bytes, most: int) -> Iterator[zipfile.ZipFile]:
    """The archive in `content`, whose members are at most `most` bytes together.

    Raises ValueError where they promise more, or more than they can hold, and
    zipfile.BadZipFile where the content is no archive.
    """
    if content.count(ENTRY) > MAX_MEMBERS:
        raise ValueError(f"expected at most {MAX_MEMBERS:,} members")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            _check(member, len(content))
        total = sum(member.file_size for member in archive.infolist())
        if total > most:
            raise ValueError(f"expected at most {most:,} bytes, unpacked; it promises {total:,}")
        yield archive


def _check(member: zipfile.ZipInfo, size: int) -> None:
    ratio = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MAX_RATIO}.get(member.compress_type)
    if ratio is None:  # others unpack without a bound
        raise ValueError(f"{member.filename}: expected a member that is stored or deflated")
    slack = SLACK if ratio > 1 else 0
    if member.compress_size > size or member.file_size > ratio * member.compress_size + slack:
        raise ValueError(
            f"{member.filename}: promises {member.file_size:,} bytes; its "
            f"{min(member.compress_size, size):,} bytes cannot hold them"
        )


class Header(NamedTuple):
    """The header of a .npy file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    length: int  # of the header, bytes

    @property
    def size(self) -> int:
        """Bytes of the whole file, if it keeps what its header promises."""
        return self.length + math.prod(self.shape) * self.dtype.itemsize


def read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of numbers or text. Raises ValueError where its header promises another size."""
    member = archive.getinfo(name)
    with archive.open(member) as file:
        header = _read_header(file)
    if header.dtype.hasobject:
        raise ValueError(f"{name}: expected numbers or text, found objects")
    if header.size != member.file_size:
        raise ValueError(
            f"{name}: its header promises {header.size:,} bytes, it holds {member.file_size:,}"
        )
    with archive.open(member) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array


def _read_header(file: Any) -> Header:
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in readers:
        raise ValueError("expected version 1.0 or 2.0 of the .npy format")
    shape, _, dtype = readers[version](file)
    return Header(shape, dtype, file.tell())
