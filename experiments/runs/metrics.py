"""metrics.csv: one row for the mean loss of each `logging.every` updates."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.errors import UsageError


class MetricsRow(NamedTuple):
    """One row; the first seven columns are a contract, other programs read them."""

    seed: int
    epoch: int
    updates: int  # optimizer steps so far
    time_steps: int  # symbols of each row trained on so far, times rows
    seconds: float  # of training this seed so far
    split: str
    loss: float  # nats per time step, mean since the row before
    # What logging.metrics names; empty where it does not, or where the split has no such thing.
    accuracy: float | None = None
    gradient_norm: float | None = None  # before clipping
    learning_rate: float | None = None
    perplexity: float | None = None  # exp(loss)
    bits: float | None = None  # loss / ln 2: bits per character, where these are the time steps


HEADER = ",".join(MetricsRow._fields) + "\n"
CONTRACT = 7  # columns that every metrics.csv has
MEASURED = ("accuracy", "gradient_norm", "learning_rate")  # by the graph; means, as the loss is


def with_derived(row: MetricsRow, names: Sequence[str]) -> MetricsRow:
    """The row with those of `names` that follow from its loss."""
    derived = {"perplexity": _exp(row.loss), "bits": row.loss / math.log(2)}
    chosen: dict[str, Any] = {name: value for name, value in derived.items() if name in names}
    return row._replace(**chosen)


def _exp(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf  # where exp overflows


class MetricsFile:
    """An append-only file of whole lines that can be cut back to a checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cut(self, size: int) -> None:
        """Forget what was written past `size` bytes; 0 starts the file anew."""
        with open(self.path, "ab") as file:
            file.truncate(size)
            if size == 0:
                file.write(HEADER.encode())
            file.flush()
            os.fsync(file.fileno())

    def size(self) -> int:
        """Bytes so far; 0 where there is no file."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, rows: Sequence[MetricsRow]) -> None:
        """Write rows as one piece and see them to the disk; all of them or, on an error, none."""
        lines = "".join(",".join(_format(value) for value in row) + "\n" for row in rows)
        size = self.size()
        try:
            with open(self.path, "ab") as file:
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, size)  # a full disk may have taken a part of a row
            raise


def read_metrics(path: Path) -> list[MetricsRow]:
    """All rows of a metrics.csv. Raises UsageError, naming a line that is not as written."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if header[:CONTRACT] != list(MetricsRow._fields[:CONTRACT]):
                raise UsageError(
                    f"{path}: expected the columns {HEADER.strip()}, got {','.join(header)}"
                )
            return [_parse(path, reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, number: int, line: list[str]) -> MetricsRow:
    try:
        fields = line[: len(MetricsRow._fields)]
        seed, epoch, updates, time_steps, seconds, split, loss, *others = fields
        return MetricsRow(
            int(seed), int(epoch), int(updates), int(time_steps), float(seconds), split,
            float(loss), *[float(value) if value else None for value in others],
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(
            f"{path}, line {number}: expected {HEADER.strip()}, got {','.join(line)}"
        ) from error


def _format(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
