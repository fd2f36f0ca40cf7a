"""Archive and remove runs. An archive is whole before anything is removed."""

from __future__ import annotations

import contextlib
import os
import resource
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.errors import RunError, UsageError
from experiments.runs.directory import RunDirectory
from experiments.runs.files import atomic_path
from experiments.runs.lock import locked

LOCK = ".lock"  # and .lock.owner, where files cannot be locked
SUFFIXES = (".tar.gz", ".tgz")
SPARE_FILES = 256  # open files that the program needs beside the locks


@contextlib.contextmanager
def hold(directories: Sequence[RunDirectory]) -> Iterator[None]:
    """Hold the locks of all these runs, so that none is trained within the block.

    Raises InUseError where one is trained now, UsageError for a link and where a lock cannot
    be taken.
    """
    for directory in directories:
        if directory.path.is_symlink():
            raise UsageError(f"{directory.path}: a symbolic link; name the directory it points to")
    _allow_open_files(len(directories) + SPARE_FILES)
    with contextlib.ExitStack() as stack:
        for directory in directories:
            try:
                stack.enter_context(locked(directory.path))
            except OSError as error:
                raise UsageError(f"{directory.path}: cannot be locked: {error}") from error
        yield


def check_archive(path: Path, directories: Sequence[RunDirectory]) -> None:
    """Raise UsageError where an archive cannot be written to this path."""
    if not path.name.endswith(SUFFIXES):
        raise UsageError(f"--archive {path}: expected a name that ends in .tar.gz or .tgz")
    if path.exists():
        raise UsageError(f"--archive {path}: exists already; name another file")
    if not path.parent.is_dir():
        raise UsageError(f"--archive {path}: {path.parent} is not a folder")
    for directory in directories:
        if path.resolve().is_relative_to(directory.path.resolve()):
            raise UsageError(f"--archive {path}: is inside the run {directory.path}")


def archive(path: Path, directories: Sequence[RunDirectory]) -> None:
    """Write these runs, which must be held, to a compressed tar file, whole or not at all.

    Unpacked in the current folder, it restores them. Links are stored as links.
    Raises RunError where what was written cannot be read back.
    """
    with atomic_path(path) as temporary:
        names: list[str] = []
        with tarfile.open(temporary, "w:gz") as file:
            for directory in directories:
                file.add(directory.path, _stored_name(directory.path), filter=_without_lock)
            names = file.getnames()
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        if _read_back(temporary) != names:
            raise RunError(f"{path}: the archive cannot be read back; nothing was removed")


def remove(directory: RunDirectory) -> list[Path]:
    """Remove a run, which must be held. Returns the files in it that no run writes: they stay."""
    directory.empty()
    for path in directory.path.glob(f"{LOCK}*"):
        path.unlink(missing_ok=True)
    left = list(directory.path.iterdir())
    if not left:
        directory.path.rmdir()
    return left


def _stored_name(path: Path) -> str:
    """The name from the current folder, by the links that lead there; else from the root."""
    here, whole = Path.cwd(), path.absolute()
    if ".." in whole.parts or not whole.is_relative_to(here):
        whole = path.resolve()
    base = here if whole.is_relative_to(here) else Path(whole.anchor)
    return str(whole.relative_to(base))


def _without_lock(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if Path(member.name).name.startswith(LOCK) else member


def _read_back(path: Path) -> list[str]:
    """The names in an archive, with every byte read, so that gzip checks its sum."""
    names = []
    try:
        with tarfile.open(path, "r|gz") as file:
            for member in file:
                names.append(member.name)
    except (OSError, EOFError, tarfile.TarError):
        return []
    return names


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files to this count, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
