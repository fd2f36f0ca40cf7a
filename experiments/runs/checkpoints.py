"""Checkpoints: all that a seed needs to resume, bit for bit, in one file each.

`checkpoint/seed-3/000001200.npz` holds every variable of the graph (weights, slots,
RNN state), the random stream as it stood at the start of the epoch, and the position
as JSON. The zip container holds a CRC of each array, nothing in it is unpickled, and
the newest two files of a seed are kept, so that one can be damaged.
"""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter

from data.archives import open_archive, read_array
from data.streams import StreamState, stream_at
from experiments.errors import RunError
from experiments.runs.files import write_atomic

KEPT = 2
BEST = "best.npz"

SeedStatus = Literal["running", "complete", "diverged"]


@dataclass
class Position:
    """Where a seed stands."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    seed: int
    epoch: int = 0
    window: int = 0  # windows of this epoch that are done
    updates: int = 0
    seconds: float = 0.0
    metrics_digest: str = ""  # SHA-256 of the seed's lines in metrics.csv; "" of earlier versions
    status: SeedStatus = "running"
    best_loss: float | None = None  # the least validation loss so far
    stale: int = 0  # validations since then
    loss_sum: float = 0.0  # over the updates; from 0 where an older checkpoint had none
    # That sum as it was when the last tenth before a possible end began, by updates.
    sums_before: dict[str, float] = field(default_factory=dict)
    # What was measured of the updates that are not yet in a row, by name; "loss" among them.
    pending: dict[str, list[float]] = field(default_factory=dict)


class Checkpoint(NamedTuple):
    """A position with the arrays that belong to it."""

    position: Position
    stream: StreamState  # at the start of the epoch
    variables: dict[str, NDArray[Any]]


def not_finite(variables: dict[str, NDArray[Any]]) -> str | None:
    """The first variable with a value that is not finite; None if all values are finite."""
    return next((name for name, value in variables.items() if not _is_finite(value)), None)


def _is_finite(value: NDArray[Any]) -> bool:
    return value.dtype.kind in "biufc" and bool(np.isfinite(value).all())


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint of its seed and drop all but the newest of the earlier ones."""
    path = path_of(directory, checkpoint.position)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _as_bytes(checkpoint))
    for earlier in _files(path.parent)[:-KEPT]:
        earlier.unlink(missing_ok=True)


def save_best(directory: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of the least validation loss, in the place of the one before."""
    folder = _folder(directory, checkpoint.position.seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / BEST, _as_bytes(checkpoint))


def best(directory: Path, seed: int) -> Checkpoint | None:
    """A seed's checkpoint of the least validation loss; None where it has none.

    Raises RunError where the file is damaged.
    """
    path = _folder(directory, seed) / BEST
    if not path.exists():
        return None
    try:
        return load(path)
    except Exception as error:
        raise RunError(f"{path}: damaged, or no checkpoint of this program") from error


def _as_bytes(checkpoint: Checkpoint) -> memoryview:
    arrays = {f"variables/{name}": value for name, value in checkpoint.variables.items()}
    buffer = io.BytesIO()
    arrays["position"] = np.array(json.dumps(asdict(checkpoint.position)))
    arrays["stream/keys"] = checkpoint.stream.keys
    arrays["stream/place"] = np.array(checkpoint.stream.place)
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getbuffer()  # not a second copy


def load(path: Path) -> Checkpoint:
    """Read one file.

    Raises where it is truncated, changed or something else: by the damage, any of the
    exceptions of zipfile, zlib, json, pydantic and NumPy. OSError where it cannot be read.
    """
    return _parse(_read(path))


def _parse(content: bytes) -> Checkpoint:
    with open_archive(content, len(content)) as archive:
        damaged = archive.testzip()  # all CRCs; to read an array may not reach its own
        if damaged:
            raise ValueError(f"{damaged} is damaged")
        names = archive.namelist()
        arrays = {name.removesuffix(".npy"): read_array(archive, name) for name in names}
    fields = json.loads(str(arrays["position"]))
    fields.pop("metrics_bytes", None)  # of earlier versions
    position = TypeAdapter(Position).validate_python(fields)
    stream = StreamState(arrays["stream/keys"], int(arrays["stream/place"]))
    stream_at(stream)  # raises where it is no state of a stream
    variables = {
        name.removeprefix("variables/"): value
        for name, value in arrays.items()
        if name.startswith("variables/")
    }
    return Checkpoint(position, stream, variables)


def _read(path: Path) -> bytes:
    """The content of a file. Raises ValueError for a device, a pipe or more than the memory."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path}: expected a file")
    if status.st_size > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        raise ValueError(f"{path}: {status.st_size:,} bytes are more than the memory holds")
    return path.read_bytes()


class Found(NamedTuple):
    """The newest checkpoint that can be read, and what was passed over on the way."""

    checkpoint: Checkpoint | None
    unreadable: list[Path]


def newest(directory: Path, seed: int) -> Found:
    """A seed's newest readable checkpoint."""
    unreadable: list[Path] = []
    for path, checkpoint in candidates(directory, seed):
        if checkpoint is not None:
            return Found(checkpoint, unreadable)
        unreadable.append(path)
    return Found(None, unreadable)


def candidates(directory: Path, seed: int) -> Iterator[tuple[Path, Checkpoint | None]]:
    """A seed's checkpoints from the newest back; None for a file that is damaged.

    Raises OSError where a file cannot be read, which does not make it damaged.
    """
    for path in reversed(_files(_folder(directory, seed))):
        try:
            checkpoint = load(path)
        except OSError:
            raise
        except Exception:
            yield path, None
        else:
            is_its_own = path == path_of(directory, checkpoint.position)
            yield path, checkpoint if is_its_own else None


def set_aside(path: Path) -> None:
    """Keep a file that cannot be used from being looked at again, without losing it."""
    path.replace(path.with_name(f"{path.name}.unusable"))


def path_of(directory: Path, position: Position) -> Path:
    """The file of the checkpoint at a position."""
    return _folder(directory, position.seed) / f"{position.updates:012d}.npz"


def _folder(directory: Path, seed: int) -> Path:
    return directory / f"seed-{seed}"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.npz"))
