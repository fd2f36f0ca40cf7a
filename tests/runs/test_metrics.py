"""experiments/runs/metrics.py: metrics.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.metrics import CONTRACT, MetricsFile, MetricsRow, columns, read_metrics

HEADER = ",".join(columns()) + "\n"
CONTRACT_HEADER = ",".join(CONTRACT) + "\n"
ROW = MetricsRow(0, 1, 100, 5000, 1.25, "train", 0.5)
MEASURED = ROW._replace(metrics={"accuracy": 0.75, "bits": 0.721347520444})


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


def test_no_metric_has_the_name_of_a_column_of_the_contract() -> None:
    assert len(set(columns())) == len(columns())


def test_rows_come_back_as_written(metrics: MetricsFile) -> None:
    rows = [ROW, ROW._replace(updates=200, loss=0.123456789, metrics={"bits": 2.5, "accuracy": 1})]
    metrics.append(rows)
    metrics.append([])
    assert read_metrics(metrics.path) == rows


def test_a_row_is_one_line_of_plain_numbers(metrics: MetricsFile) -> None:
    metrics.append([ROW, MEASURED])
    assert metrics.path.read_text() == HEADER + (
        "0,1,100,5000,1.25,train,0.5,,,,,\n0,1,100,5000,1.25,train,0.5,0.75,,,,0.7213475204\n"
    )


def test_rows_are_equal_where_their_metrics_are() -> None:
    assert ROW._replace(metrics={"bits": 1.0, "accuracy": 0.5}) == ROW._replace(
        metrics={"accuracy": 0.5, "bits": 1.0}
    )
    assert ROW._replace(metrics={"bits": 1.0}) != ROW._replace(metrics={"bits": 1.5})
    assert ROW._replace(metrics={"bits": 1.0}) != ROW


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


@pytest.mark.parametrize(
    ("header", "line", "metrics"),
    [
        ("", "", {}),
        (",accuracy,gradient_norm", ",0.75,", {"accuracy": 0.75}),
        (",bits,accuracy", ",2,0.75", {"accuracy": 0.75, "bits": 2}),
        (",host,accuracy,norm", ",elsewhere,0.75,3.5", {"accuracy": 0.75}),
        (",accuracy,bits", ",0.75", {"accuracy": 0.75}),
    ],
    ids=["contract alone", "fewer", "another order", "columns of no metric", "a short line"],
)
def test_metrics_are_read_by_the_names_of_the_columns(
    tmp_path: Path, header: str, line: str, metrics: dict[str, float]
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{','.join(CONTRACT)}{header}\n0,1,100,5000,1.25,train,0.5{line}\n")
    assert read_metrics(path) == [ROW._replace(metrics=metrics)]


@pytest.mark.parametrize(
    ("header", "line"),
    [("", ""), (",accuracy", ",0.75"), (",bits,host,accuracy", ",0.7213475204,,0.75")],
    ids=["contract alone", "fewer", "another order and a column of no metric"],
)
def test_rows_are_appended_under_the_header_of_an_older_file(
    tmp_path: Path, header: str, line: str
) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    before = f"{','.join(CONTRACT)}{header}\n0,1,100,5000,1.25,train,0.5{',' * header.count(',')}\n"
    file.path.write_text(before)
    file.append([MEASURED])
    assert file.path.read_text() == before + f"0,1,100,5000,1.25,train,0.5{line}\n"


def test_nothing_is_appended_to_a_file_of_another_kind(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    for content in (b"a,b\n", b"\xff\xfe\x00"):
        file.path.write_bytes(content)
        with pytest.raises(
            UsageError, match=r"metrics\.csv: (expected the columns|cannot be read)"
        ):
            file.append([ROW])
        assert file.path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "expected the columns seed,epoch,updates,time_steps,seconds,split,loss first"),
        ("a,b\n", "got a,b"),
        (CONTRACT_HEADER.replace("updates", "steps"), "got seed,epoch,steps"),
        (HEADER + "0,1,100,5000,1.25,train,x\n", "line 2: expected seed,epoch"),
        (HEADER + "0,1,100,5000,1.25,train,0.5,x\n", "line 2: expected .*,accuracy,.*, got .*,x"),
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
