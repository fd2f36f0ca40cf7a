"""experiments/runs/metrics.py: metrics.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.metrics import HEADER, MetricsFile, MetricsRow, read_metrics

ROW = MetricsRow(0, 1, 100, 5000, 1.25, "train", 0.5)


@pytest.fixture
def metrics(tmp_path: Path) -> MetricsFile:
    file = MetricsFile(tmp_path / "metrics.csv")
    file.cut(0)
    return file


def test_the_columns_are_the_contract(metrics: MetricsFile) -> None:
    assert metrics.path.read_text() == (
        "seed,epoch,updates,time_steps,seconds,split,loss,"
        "accuracy,gradient_norm,learning_rate,perplexity,bits\n"
    )


def test_rows_come_back_as_written(metrics: MetricsFile) -> None:
    rows = [ROW, ROW._replace(updates=200, loss=0.123456789)]
    metrics.append(rows)
    metrics.append([])
    assert read_metrics(metrics.path) == rows


def test_a_row_is_one_line_of_plain_numbers(metrics: MetricsFile) -> None:
    metrics.append([ROW])
    assert metrics.path.read_text() == HEADER + "0,1,100,5000,1.25,train,0.5,,,,,\n"


def test_to_cut_forgets_what_came_later(metrics: MetricsFile) -> None:
    metrics.append([ROW])
    size = metrics.size()
    metrics.append([ROW._replace(updates=200)])
    metrics.cut(size)
    assert read_metrics(metrics.path) == [ROW]


def test_to_cut_to_nothing_starts_anew(metrics: MetricsFile) -> None:
    metrics.append([ROW])
    metrics.cut(0)
    assert metrics.path.read_text() == HEADER


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    assert MetricsFile(tmp_path / "metrics.csv").size() == 0


def test_further_columns_are_left_aside(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER.strip() + ",norm\n0,1,100,5000,1.25,train,0.5,,,,,,3.5\n")
    assert read_metrics(path) == [ROW]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "expected the columns seed,epoch"),
        ("a,b\n", "got a,b"),
        (HEADER + "0,1,100,5000,1.25,train,x\n", "line 2: expected seed,epoch"),
        (HEADER + "0,1,100,5000,1.25,train,0.5\n0,1,2\n", "line 3: .* got 0,1,2"),
    ],
)
def test_what_is_no_metrics_file_is_told_with_its_line(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=reason):
        read_metrics(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_metrics(tmp_path / "metrics.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_metrics(tmp_path / "binary.csv")
