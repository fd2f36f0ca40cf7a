"""A lock on a run directory, also where the file system has none."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import InUseError, UsageError

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of network and user file systems


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory alone; the kernel lets go when the process ends, however it ends.

    On a file system without locks, a file that names this process and host takes its place.
    Raises InUseError where another process holds the directory, UsageError if the lock is a link.
    """
    with open(directory / ".lock", "a+", opener=_no_link) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise InUseError(f"{directory}: in use by another run (process {owner})") from None
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            print(
                f"warning: {directory}: this file system has no locks ({error.strerror}); "
                "a file .lock.owner is used instead",
                file=sys.stderr,
            )
            with _owner_file(directory):
                yield
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _no_link(path: str, flags: int) -> int:
    """Open a file, but no link: in a directory from elsewhere it may lead to any file."""
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(f"{path}: a symbolic link; expected a file, or nothing") from None
        raise


@contextlib.contextmanager
def _owner_file(directory: Path) -> Iterator[None]:
    """Hold the directory by a file that no other process can make while it is there."""
    path = directory / ".lock.owner"
    if _is_dead(_owner(path)):
        _remove_dead(path)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        process, host = _owner(path)
        raise InUseError(
            f"{directory}: in use by another run (process {process} on {host}); "
            f"if it has ended, remove {path}"
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {platform.node()}")
        yield
    finally:
        path.unlink(missing_ok=True)


def _remove_dead(path: Path) -> None:
    """Remove the file of a process that has ended, and no other.

    Another process may have seen it too, removed it and made its own, which would then be the one
    that is moved away: it goes back to where it was.
    """
    aside = path.with_name(f"{path.name}.{platform.node()}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if not _is_dead(_owner(aside)):
            with contextlib.suppress(FileExistsError), path.open("xb") as file:
                file.write(aside.read_bytes())  # such a file system may have no hard links
        aside.unlink()


def _owner(path: Path) -> tuple[str, str]:
    """The process and the host that a file names."""
    try:
        process, _, host = path.read_text("utf-8").partition(" ")
    except (OSError, UnicodeDecodeError):
        return "unknown", "unknown"
    return process or "unknown", host or "unknown"


def _is_dead(owner: tuple[str, str]) -> bool:
    """Whether a process of this host has ended; that of another host cannot be known."""
    process, host = owner
    if host != platform.node() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
