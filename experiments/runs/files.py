"""Files that are whole or not there, and folders to write to."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.console import is_quiet, plain
from experiments.errors import UsageError
from experiments.paths import REPORTS


def make_output_folder(out: Path, names: Sequence[str] = ()) -> None:
    """Make the folder of a command's `--out`, for files of these names; say which it replaces.

    Raises UsageError where it cannot be used.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be made: {error.strerror}") from error
    try:
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"--out {out}: not writable: {error.strerror}") from error
    for name in names:
        if (out / name).is_dir():
            raise UsageError(f"--out {out}: {name} is a folder; expected a file, or nothing")
    replaced = [name for name in names if (out / name).exists()]
    if replaced and not is_quiet():
        print(plain(f"this replaces {', '.join(replaced)} in {out}"), file=sys.stderr)


def numbered_folder(name: str, fits: Callable[[Path], bool]) -> Path:
    """The first of reports/NAME, reports/NAME-2 and so on that fits."""
    numbers = itertools.count(2)
    folder = REPORTS / name
    while not fits(folder):
        folder = REPORTS / f"{name}-{next(numbers)}"
    return folder


def write_atomic(path: Path, content: str | bytes | memoryview) -> None:
    """Replace `path` by `content`: a reader, or a crash, sees the old file or the new one."""
    # Names of files that are not UTF-8 are text with lone surrogates, which are shown as escapes.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def is_temporary(path: Path, names: Sequence[str]) -> bool:
    """Whether a killed process left this while it was writing a file of one of these names."""
    return any(
        re.fullmatch(rf"\.{re.escape(stem)}\.[0-9a-f]{{8}}{re.escape(suffix)}", path.name)
        for stem, suffix in map(os.path.splitext, names)
    )


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place if the block ends well."""
    # The last suffix stays last: matplotlib chooses the format by it.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
