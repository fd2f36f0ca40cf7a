"""experiments/reporting/tables.py: what other programs find in a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from experiments.reporting.tables import write_csv


def test_counts_stay_counts_where_a_column_has_gaps(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["lag", "share"], [(3, 0.1), (None, 1.0)])
    assert (tmp_path / "a.csv").read_text() == "lag,share\n3,0.1\n,1.0\n"


@pytest.mark.parametrize("text", ["a,b", 'say "so"', "two\nlines", ""])
def test_a_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    write_csv(tmp_path / "a.csv", ["name", "other"], [(text, "x")])
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["name", "other"], [text, "x"]]


def test_no_rows_leave_the_names(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["lag", "share"], iter(()))
    assert (tmp_path / "a.csv").read_text() == "lag,share\n"


def test_a_formula_becomes_text_and_a_number_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(path, ["a", "b", "c", "d"], [["=1+1", "-0.5", -0.5, "@x"]])
    assert path.read_text().splitlines()[1] == "'=1+1,-0.5,-0.5,'@x"
