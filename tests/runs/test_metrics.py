"""experiments/runs/metrics.py: metrics.csv."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.runs.metrics import (
    CONTRACT,
    MetricsFile,
    MetricsRow,
    columns,
    digest,
    read_metrics,
)

HEADER = ",".join(columns()) + "\n"
CONTRACT_HEADER = ",".join(CONTRACT) + "\n"
ROW = MetricsRow(0, 1, 100, 5000, 1.25, "train", 0.5)
MEASURED = ROW._replace(metrics={"accuracy": 0.75, "bits": 0.721347520444})


@pytest.fixture
def metrics(tmp_path: Path) -> MetricsFile:
    file = MetricsFile(tmp_path / "metrics.csv")
    file.start()
    return file


def test_the_columns_are_the_contract(metrics: MetricsFile) -> None:
    assert metrics.path.read_text() == (
        "seed,epoch,updates,time_steps,seconds,split,loss,"
        "accuracy,gradient_norm,learning_rate,perplexity,bits,chosen_depth\n"
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
        "0,1,100,5000,1.25,train,0.5,,,,,,\n0,1,100,5000,1.25,train,0.5,0.75,,,,0.7213475204,\n"
    )


def test_rows_are_equal_where_their_metrics_are() -> None:
    assert ROW._replace(metrics={"bits": 1.0, "accuracy": 0.5}) == ROW._replace(
        metrics={"accuracy": 0.5, "bits": 1.0}
    )
    assert ROW._replace(metrics={"bits": 1.0}) != ROW._replace(metrics={"bits": 1.5})
    assert ROW._replace(metrics={"bits": 1.0}) != ROW


def test_to_start_forgets_what_was_there(metrics: MetricsFile) -> None:
    metrics.append([ROW])
    metrics.start()
    assert metrics.path.read_text() == HEADER


def test_what_was_appended_is_returned_and_continues_the_digest(metrics: MetricsFile) -> None:
    running = digest([])
    for rows in ([ROW], [ROW._replace(updates=200), ROW._replace(updates=300)]):
        running.update(metrics.append(rows))
    assert running.hexdigest() == digest(metrics.read().lines).hexdigest()
    content = metrics.path.read_bytes().removeprefix(HEADER.encode())
    assert running.hexdigest() == hashlib.sha256(content).hexdigest()


def test_a_last_line_without_an_end_is_left_out(metrics: MetricsFile) -> None:
    metrics.append([ROW])
    with open(metrics.path, "a", encoding="utf-8") as file:
        file.write("0,1,200,5000,1.25,train,0.5,,,,,")
    assert read_metrics(metrics.path) == [ROW]
    assert metrics.read().rest.startswith(b"0,1,200")


def test_rows_are_sorted_by_seed_and_keep_their_order_within_it(metrics: MetricsFile) -> None:
    rows = [ROW._replace(seed=seed, updates=updates) for updates in (200, 100) for seed in (1, 0)]
    metrics.append(rows)
    metrics.sort()
    assert [(row.seed, row.updates) for row in read_metrics(metrics.path)] == [
        (0, 200), (0, 100), (1, 200), (1, 100),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "line", "metrics"),
    [
        ("", "", {}),
        (",accuracy,gradient_norm", ",0.75,", {"accuracy": 0.75}),
        (",bits,accuracy", ",2,0.75", {"accuracy": 0.75, "bits": 2}),
        (",host,accuracy,norm", ",elsewhere,0.75,3.5", {"accuracy": 0.75}),
    ],
    ids=["contract alone", "fewer", "another order", "columns of no metric"],
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
        ("a,b\n", "got 'a,b'"),
        (CONTRACT_HEADER.replace("updates", "steps"), "got 'seed,epoch,steps"),
        (CONTRACT_HEADER + "0,1,100,5000,1.25,train,x\n", "line 2: expected seed,epoch"),
        (HEADER + "0,1,100,5000,1.25,train,0.5,x,,,,,\n", "line 2: expected .*accuracy.* got .*x,"),
        (CONTRACT_HEADER + "0,1,100,5000,1.25,train,0.5\n0,1,2\n", "line 3: .* got 3: '0,1,2'"),
        (HEADER + "0,1,100,5000,1.25,train,0.5\n", "line 2: expected 13 fields.* got 7"),
        (CONTRACT_HEADER + "0,1,100,5000,1.25,train,0,5\n", "line 2: expected 7 fields.* got 8"),
        (CONTRACT_HEADER + "0,1,100,5000,1.25,train,nan\n", "line 2: loss: expected a finite"),
        (CONTRACT_HEADER + "\n", "line 2: expected 7 fields.* got 1: ''"),
        ("\ufeff" + CONTRACT_HEADER, r"got '\\ufeffseed"),
        (CONTRACT_HEADER + "0,1,100,5000,1.25,train,0.5\r\n", "line 2: .* carriage return"),
    ],
)
def test_what_is_no_metrics_file_is_told_with_its_line(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content.encode())
    with pytest.raises(UsageError, match=reason):
        read_metrics(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_metrics(tmp_path / "metrics.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_metrics(tmp_path / "binary.csv")
