"""metrics.csv: one row for the mean loss of each `logging.every` updates."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from experiments.errors import UsageError
from experiments.runs.links import require_file
from rnn_graphs.metrics import METRICS


class MetricsRow(NamedTuple):
    """One row. All fields but the last are columns that every metrics.csv has."""

    seed: int
    epoch: int
    updates: int  # optimizer steps so far
    time_steps: int  # symbols of each row trained on so far, times rows
    seconds: float  # of training this seed so far
    split: str
    loss: float  # nats per time step, mean since the row before
    # By name, those that logging.metrics asks for and the split has; means, as the loss is.
    metrics: Mapping[str, float] = MappingProxyType({})


CONTRACT = MetricsRow._fields[:-1]  # the first columns of every metrics.csv; programs read them


def columns() -> list[str]:
    """The columns of a new metrics.csv; a metric that was not asked for leaves its own empty."""
    return [*CONTRACT, *METRICS]


class MetricsFile:
    """An append-only file of whole lines that can be cut back to a checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cut(self, size: int) -> None:
        """Forget what was written past `size` bytes; 0 starts the file anew."""
        with open(self.path, "ab") as file:
            file.truncate(size)
            if size == 0:
                file.write(f"{','.join(columns())}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def size(self) -> int:
        """Bytes so far; 0 where there is no file."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, rows: Sequence[MetricsRow]) -> None:
        """Write rows as one piece and see them to the disk; all of them or, on an error, none.

        Rows follow the file's own header, which an earlier version may have written: a metric
        that it lacks is left out. Raises UsageError where the header is not of a metrics.csv.
        """
        header = self._header()
        lines = "".join(_format(row, header) for row in rows)
        size = self.size()
        try:
            with open(self.path, "ab") as file:
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, size)  # a full disk may have taken a part of a row
            raise

    def _header(self) -> list[str]:
        with _naming(self.path), open(self.path, encoding="utf-8", newline="") as file:
            return _checked_header(self.path, next(csv.reader(file), []))


def read_metrics(path: Path) -> list[MetricsRow]:
    """All rows of a metrics.csv, by the names of its columns; columns of no metric are ignored.

    Raises UsageError, naming the line, where the file is not a metrics.csv.
    """
    require_file(path)
    with _naming(path), open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = _checked_header(path, next(reader, []))
        return [_parse(path, reader.line_num, header, line) for line in reader]


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Raise UsageError, with the path, where it cannot be read as CSV."""
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _checked_header(path: Path, header: list[str]) -> list[str]:
    if tuple(header[: len(CONTRACT)]) != CONTRACT:
        raise UsageError(
            f"{path}: expected the columns {','.join(CONTRACT)} first, got {','.join(header)}"
        )
    return header


def _parse(path: Path, number: int, header: list[str], line: list[str]) -> MetricsRow:
    try:
        seed, epoch, updates, time_steps, seconds, split, loss = line[: len(CONTRACT)]
        others = zip(header[len(CONTRACT) :], line[len(CONTRACT) :], strict=False)
        metrics = {name: float(value) for name, value in others if value and name in METRICS}
        return MetricsRow(
            int(seed), int(epoch), int(updates), int(time_steps), float(seconds), split,
            float(loss), metrics,
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(
            f"{path}, line {number}: expected {','.join(header)}, got {','.join(line)}"
        ) from error


def _format(row: MetricsRow, header: list[str]) -> str:
    """The row as a line under this header."""
    metrics = [row.metrics.get(name) for name in header[len(CONTRACT) :]]
    return ",".join(_format_value(value) for value in (*row[:-1], *metrics)) + "\n"


def _format_value(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
