"""Links in run directories: nothing in a directory from elsewhere leads out of it.

A run appends to its files, cuts them and removes old checkpoints. Through a link it would do so to
files that are no part of it. Its two large folders may still be links to another disk, if a
folder there names the runs that may write to it. A directory from elsewhere cannot write that name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import UsageError
from experiments.runs.files import write_atomic

LARGE = ("checkpoint", "events")  # folders of a run that may be elsewhere
PERMIT = ".run"  # a file in such a folder: the paths of its runs, one a line


def check_links(directory: Path, is_new: bool) -> None:
    """Raise UsageError where a link in a run directory leads out of it.

    A large folder may be elsewhere if that folder permits it, or is empty and the run is new.
    """
    inside = directory.resolve()
    for path in _links(directory):
        target = path.resolve()
        if target.is_relative_to(inside) or _may_hold(target, path, directory, is_new):
            continue
        text = (
            f"run directory {directory}: {path.relative_to(directory)} is a link to "
            f"{path.readlink()}, outside of it; a run writes to its own directory only"
        )
        if path in _large(directory) and target.is_dir():
            text += f", unless {target / PERMIT} has a line that says {inside}"
        raise UsageError(text)


def permit_links(directory: Path) -> None:
    """Let the folders elsewhere, which are checked, name a new run that writes to them."""
    for path in _large(directory):
        target = path.resolve()
        if path.is_symlink() and target.is_dir() and not _permits(target, directory):
            write_atomic(target / PERMIT, f"{directory.resolve()}\n")


def is_link_of_user(path: Path) -> bool:
    """Whether a path is the link of a large folder, which may be there before the run is."""
    return path.name in LARGE and path.is_symlink()


def require_file(path: Path) -> None:
    """Raise UsageError for a path that is there and no file: a device or a pipe never ends."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: expected a file")


def _large(directory: Path) -> list[Path]:
    return [directory / name for name in LARGE]


def _may_hold(target: Path, link: Path, directory: Path, is_new: bool) -> bool:
    if link not in _large(directory) or not target.is_dir():
        return False
    return _permits(target, directory) or (is_new and not any(target.iterdir()))


def _permits(target: Path, directory: Path) -> bool:
    permit = target / PERMIT
    return permit.is_file() and str(directory.resolve()) in permit.read_text("utf-8").splitlines()


def _links(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                yield path
