"""Run directories from elsewhere: nothing in one leads out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import UsageError


def check_links(directory: Path) -> None:
    """Raise UsageError where a link in a run directory leads out of it.

    A run appends to its files, cuts them and removes old checkpoints. Through such a link it would
    do so to files that are no part of it.
    """
    inside = directory.resolve()
    for path in _links(directory):
        if not path.resolve().is_relative_to(inside):
            raise UsageError(
                f"run directory {directory}: {path.relative_to(directory)} is a link to "
                f"{path.readlink()}, outside of it; a run writes to its own directory only"
            )


def require_file(path: Path) -> None:
    """Raise UsageError for a path that is there and no file: a device or a pipe never ends."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: expected a file")


def _links(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                yield path
