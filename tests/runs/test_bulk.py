"""experiments/runs/bulk.py: a large metrics.csv is read by columns as it is read by lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.errors import UsageError
from experiments.runs import metrics
from experiments.runs.bulk import read_fields
from experiments.runs.metrics import MetricsFile, MetricsRow, columns, read_rows, read_table


@pytest.fixture(autouse=True)
def all_files_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LARGE", 0)


def written(path: Path, count: int = 300) -> bytes:
    """A file with rows of every kind."""
    stream = np.random.default_rng(0)
    file = MetricsFile(path)
    file.start()
    rows = []
    for index in range(count):
        measured = {"accuracy": float(stream.random())} if index % 3 else {}
        measured |= {"bits": float(stream.normal())} if index % 7 == 0 else {}
        rows.append(
            MetricsRow(
                index % 4, index // 9, 10 * index, 2**40 + index, float(stream.random() * 1e-7),
                "train" if index % 5 else "valid", float(stream.normal() * 10.0**index), measured,
            )
        )  # fmt: skip
    file.append(rows)
    return path.read_bytes()


def test_rows_are_those_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    content = written(path)
    body = content.partition(b"\n")[2]
    assert read_fields(body, columns()) is not None
    rows, rest = read_rows(path)
    table = read_table(path)
    assert rows == [line.row for line in table.lines]
    assert all(type(a) is type(b) for a, b in zip(rows[7], table.lines[7].row, strict=True))
    assert rest == b""


def test_a_last_line_without_an_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(written(path) + b"0,1,3000,")
    rows, rest = read_rows(path)
    assert (len(rows), rest) == (300, b"0,1,3000,")


@pytest.mark.parametrize(
    "line",
    [
        b"0,1,100,5000,1.25,train,0.5",
        b"0,1,100,5000,1.25,train,0.5,,,,,,,",
        b"0,1,100,5000,1.25,train,,,,,,,",
        b"x,1,100,5000,1.25,train,0.5,,,,,,",
        b"0,1.5,100,5000,1.25,train,0.5,,,,,,",
        b"0,1,100,5000,1.25,train,0.5,x,,,,,",
        b"",
        b"0,1,100,5000,1.25,train,nan,,,,,,",
        b"0,1,100,5000,1.25,train,0.5,,,,,,\r",
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "metrics.csv"
    content = written(path)
    path.write_bytes(content + line + b"\n" + content.partition(b"\n")[2])
    with pytest.raises(UsageError, match="line 302"):
        read_rows(path)


def test_numbers_are_read_as_by_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(written(path) + b"0,1,1_0,5,1e3,valid,nan,,inf,,,,\n")
    rows, table = read_rows(path)[0], read_table(path)
    assert repr(rows) == repr([each.row for each in table.lines])
