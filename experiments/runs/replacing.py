"""Replace a run: the old one is whole until one rename, and gone from then on.

Its parts are renamed into a hidden folder of the directory, config.yaml first. Without that file
no command takes the directory for a run, and the folder says that what is left of it may go.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from experiments.errors import UsageError

FOLDER = ".replaced-"


def is_replaced(directory: Path) -> bool:
    """Whether the directory holds what is left of a run that was being replaced."""
    return not (directory / "config.yaml").exists() and any(
        directory.glob(f"{FOLDER}*/config.yaml")
    )


def move_aside(directory: Path, parts: Sequence[Path]) -> None:
    """Move the parts of a run, config.yaml the first of them, into a hidden folder.

    Raises UsageError, with the run as it was, where a part cannot be moved.
    """
    folder = directory / f"{FOLDER}{secrets.token_hex(4)}"
    moved: list[Path] = []
    try:
        folder.mkdir()
        for path in parts:
            if os.path.lexists(path):  # a symbolic link is moved, what it names is not
                path.rename(folder / path.name)
                moved.append(path)
    except OSError as error:
        for path in reversed(moved):
            (folder / path.name).rename(path)
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise UsageError(
            f"run directory {directory}: cannot be replaced: {error}; the run is as it was"
        ) from error


def remove_moved(directory: Path) -> list[Path]:
    """Remove what was moved aside, now or by a process that was killed. Returns what is left."""
    folders = list(directory.glob(f"{FOLDER}*"))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder for folder in folders if folder.exists()]
