"""metrics.csv: one row for the mean loss of each `logging.every` updates."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from experiments.errors import UsageError
from experiments.runs.bulk import no_collection, read_fields
from experiments.runs.files import write_atomic
from experiments.runs.links import require_file
from rnn_graphs.metrics import METRICS


class MetricsRow(NamedTuple):
    """One row. All fields but the last are columns that every metrics.csv has."""

    seed: int
    epoch: int
    updates: int  # optimizer steps so far
    time_steps: int  # updates so far, times num_steps, times rows; padding counts
    seconds: float  # of training this seed so far
    split: str
    loss: float  # nats per time step, mean since the row before
    # By name, those that logging.metrics asks for and the split has; means, as the loss is.
    metrics: Mapping[str, float] = MappingProxyType({})


LARGE = 1 << 20  # bytes of a file that is worth reading by columns
CONTRACT = MetricsRow._fields[:-1]  # the first columns of every metrics.csv; programs read them


def columns() -> list[str]:
    """The columns of a new metrics.csv; a metric that was not asked for leaves its own empty."""
    return [*CONTRACT, *METRICS]


class MetricsLine(NamedTuple):
    """A row with the bytes that stand for it in the file."""

    row: MetricsRow
    content: bytes  # with its line end


class MetricsTable(NamedTuple):
    """A metrics.csv that was read whole and checked."""

    header: bytes  # with its line end
    lines: list[MetricsLine]
    rest: bytes  # a last line without an end, which a killed process leaves

    def of_seed(self, seed: int) -> list[MetricsLine]:
        """The lines of one seed, in their order."""
        return [line for line in self.lines if line.row.seed == seed]


class MetricsFile:
    """An append-only file of whole lines. Several threads may read and append."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # nobody reads half of what is appended

    def start(self) -> None:
        """Replace the file by one that holds the header alone."""
        write_atomic(self.path, _new_header())

    def read(self) -> MetricsTable:
        """The content; that of a new file where there is none, or one that was never begun.

        Raises UsageError, naming the line, where the file is not a metrics.csv.
        """
        with self._lock:
            require_file(self.path)
            content = self.path.read_bytes() if self.path.exists() else b""
            if _new_header().startswith(content):  # killed before the header was complete
                return MetricsTable(_new_header(), [], b"")
            return read_table(self.path)

    def replace(self, table: MetricsTable) -> None:
        """Make these whole lines the content of the file."""
        content = table.header + b"".join(line.content for line in table.lines)
        if not self.path.exists() or self.path.read_bytes() != content:
            write_atomic(self.path, content)

    def sort(self) -> None:
        """Put the rows in the order of their seeds, where a seed was trained after later ones."""
        table = self.read()
        self.replace(table._replace(lines=sorted(table.lines, key=lambda line: line.row.seed)))

    def append(self, rows: Sequence[MetricsRow]) -> bytes:
        """Write rows as one piece; all of them or, on an error, none. `sync` sees them to the disk.

        Rows follow the file's own header, which an earlier version may have written: a metric
        that it lacks is left out. Returns what was written.
        Raises UsageError where the header is not of a metrics.csv.
        """
        header = self._header()
        lines = "".join(_format(row, header) for row in rows).encode()
        with self._lock:
            self._write(lines)
        return lines

    def sync(self) -> None:
        """See to the disk what was appended. A checkpoint must not be there without its rows."""
        with open(self.path, "ab") as file:
            os.fsync(file.fileno())

    def _write(self, lines: bytes) -> None:
        size = self.path.stat().st_size
        try:
            with open(self.path, "ab") as file:
                file.write(lines)
        except OSError:
            os.truncate(self.path, size)  # a full disk may have taken a part of a row
            raise

    def _header(self) -> list[str]:
        with _naming(self.path), open(self.path, encoding="utf-8", newline="") as file:
            return _checked_header(self.path, file.readline().removesuffix("\n"))


def digest(lines: Iterable[MetricsLine]) -> hashlib._Hash:
    """The SHA-256 of lines, to be continued with those that are appended."""
    return hashlib.sha256(b"".join(line.content for line in lines))


def read_metrics(path: Path) -> list[MetricsRow]:
    """All rows of a metrics.csv, by the names of its columns; columns of no metric are ignored.

    A last line without an end is left out: its process was killed, or is still writing.
    Raises UsageError, naming the line, where the file is not a metrics.csv.
    """
    return read_rows(path)[0]


def read_rows(path: Path) -> tuple[list[MetricsRow], bytes]:
    """`read_metrics`, and what follows the last whole line."""
    require_file(path)
    with _naming(path):
        content = path.read_bytes()
        if len(content) >= LARGE:
            head, _, body = content.partition(b"\n")
            end = body.rfind(b"\n") + 1
            header = _checked_header(path, head.decode("utf-8"))
            with no_collection():
                fields = read_fields(body[:end], header)
                if fields is not None:
                    return list(map(MetricsRow._make, fields)), body[end:]
    table = read_table(path)
    return [line.row for line in table.lines], table.rest


def read_table(path: Path) -> MetricsTable:
    """The whole of a metrics.csv. Raises UsageError, naming the line, where it is none."""
    require_file(path)
    with _naming(path):
        *whole, rest = path.read_bytes().split(b"\n")
        texts = [line.decode("utf-8") for line in whole or [rest]]
    for number, text in enumerate(texts, 1):
        if "\r" in text:
            raise UsageError(
                f"{path}, line {number}: expected a line feed alone at its end, got a carriage "
                "return: the file was changed after it was written"
            )
    header = _checked_header(path, texts[0])
    if not whole:
        raise UsageError(f"{path}: its first line has no end")
    rows = [_parse(path, number, header, text) for number, text in enumerate(texts[1:], 2)]
    lines = [MetricsLine(row, line + b"\n") for row, line in zip(rows, whole[1:], strict=True)]
    return MetricsTable(whole[0] + b"\n", lines, rest)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Raise UsageError, with the path, where it cannot be read as text."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _checked_header(path: Path, line: str) -> list[str]:
    """The names of the columns."""
    header = line.split(",")
    if tuple(header[: len(CONTRACT)]) != CONTRACT:
        raise UsageError(f"{path}: expected the columns {','.join(CONTRACT)} first, got {line!r}")
    return header


def _new_header() -> bytes:
    return f"{','.join(columns())}\n".encode()


def _parse(path: Path, number: int, header: list[str], line: str) -> MetricsRow:
    fields = line.split(",")
    if len(fields) != len(header):
        raise UsageError(
            f"{path}, line {number}: expected {len(header)} fields, {','.join(header)}, "
            f"got {len(fields)}: {line!r}"
        )
    try:
        seed, epoch, updates, time_steps, seconds, split, loss = fields[: len(CONTRACT)]
        others = zip(header[len(CONTRACT) :], fields[len(CONTRACT) :], strict=True)
        metrics = {name: float(value) for name, value in others if value and name in METRICS}
        row = MetricsRow(
            int(seed), int(epoch), int(updates), int(time_steps), float(seconds), split,
            float(loss), metrics,
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(
            f"{path}, line {number}: expected {','.join(header)}, got {line!r}"
        ) from error
    if row.split == "train" and not math.isfinite(row.loss):  # training ends before such a row
        raise UsageError(f"{path}, line {number}: loss: expected a finite number, got {row.loss}")
    return row


def _format(row: MetricsRow, header: list[str]) -> str:
    """The row as a line under this header."""
    metrics = [row.metrics.get(name) for name in header[len(CONTRACT) :]]
    return ",".join(_format_value(value) for value in (*row[:-1], *metrics)) + "\n"


def _format_value(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
