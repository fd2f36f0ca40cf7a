"""Find and read the files that a user gives. Every error is one line and names the file."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from data.task import DataError, Source

FOLDER = "RNN_DATA"  # environment variable: where relative paths start

MAX_BYTES = 1 << 30  # of any file; texts that this program can train on are far smaller


class Found(NamedTuple):
    """A file that exists, with its size and time to notice a change."""

    path: Path
    size: int  # bytes
    modified: int  # nanoseconds


def resolve(name: str | Path) -> Path:
    """The absolute path. A relative one starts at $RNN_DATA, or else at the current directory.

    ~ at its beginning is the home folder, which the shell does not expand in task.path=~/text.
    """
    try:
        given = Path(name).expanduser()
    except RuntimeError:  # ~nobody
        given = Path(name)
    return Path(os.environ.get(FOLDER, ""), given).absolute()


def find(name: str | Path, origin: str | None) -> Found:
    """Find a file by a path that is absolute or starts at $RNN_DATA or the current directory.

    `origin` says in words where to get the file. Raises DataError where it does not exist or
    is not a regular file.
    """
    path = resolve(name)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; {_where(origin)}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a null character
        raise DataError(f"{str(path)!r}: not a path: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "a device or a pipe"
        raise DataError(f"{path}: expected a file, found {what}")
    return Found(path, status.st_size, status.st_mtime_ns)


def read(path: Path, sha256: str | None, most: int = MAX_BYTES) -> bytes:
    """The content of a file of at most `most` bytes.

    Raises DataError where it cannot be read, is larger or has another hash.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(most + 1) if size <= most else b""
        if max(size, len(content)) > most:
            raise DataError(f"{path}: expected at most {most:,} bytes, found {size:,}")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    check_sha256(str(path), content, sha256)
    return content


def source(name: str | Path, content: bytes) -> Source:
    """A source of this content."""
    return Source(str(name), hashlib.sha256(content).hexdigest())


def read_from(path: Path, origin: str, most: int = MAX_BYTES) -> bytes:
    """The content of a file of at most `most` bytes. For `origin` and errors see `find`."""
    return read(find(path, origin).path, None, most)


def check_sha256(name: str, content: bytes, expected: str | None) -> None:
    """Raise DataError where a hash is expected and the content has another."""
    if expected is None:
        return
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"{name}: not the expected data: expected sha256 {expected}, "
            f"found {found} ({len(content):,} bytes)"
        )


def _where(origin: str | None) -> str:
    folder = os.environ.get(FOLDER)
    start = f"the environment variable {FOLDER}, now {folder}" if folder else (
        f"the current directory, as the environment variable {FOLDER} is not set"
    )  # fmt: skip
    official = f"; where to get it: {origin}" if origin else ""
    return f"a relative path starts at {start}{official}"
