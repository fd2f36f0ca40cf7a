"""experiments/comparison/targets.py: when a loss is reached."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from experiments.comparison.cells import columns
from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.targets import parse_target
from experiments.errors import UsageError
from tests.comparison.by_hand import WIDE, add, ranked


class TestTargets:
    def test_the_first_row_below_it_counts(self, tmp_path: Path) -> None:
        add(tmp_path, "wide", (0.5, 0.4), WIDE)
        reached = ranked(tmp_path, target="0.58").reached["lag_17"]
        assert (reached.seeds, reached.total) == (2, 2)
        assert list(reached.means["updates"]) == [20, 20, 20]
        assert reached.means["time_steps"].mean == 20_000

    def test_halfway_is_between_the_floors(self, tmp_path: Path) -> None:
        add(tmp_path, "wide", (0.49, 0.51), WIDE)
        compared = ranked(tmp_path, target="halfway")
        assert compared.reached["lag_17"].seeds == 1
        cells = {column.title: column.cell(compared.lines[0]) for column in columns(compared)}
        assert (cells["reached halfway"], cells["updates to halfway"]) == ("1/2", "30")

    def test_validated_runs_reach_it_in_validation(self, overfitted: Path) -> None:
        reached = ranked(overfitted, target="0.44").reached
        assert (reached["num_steps=18"].seeds, reached["num_steps=54"].seeds) == (2, 0)

    @pytest.mark.parametrize("text", ["low", "nan"])
    def test_a_target_that_is_no_loss_is_named(self, text: str) -> None:
        with pytest.raises(UsageError, match=f"--target: expected a loss or halfway; got {text}"):
            parse_target(text, "train")

    def test_it_has_a_picture_and_columns(self, tmp_path: Path) -> None:
        add(tmp_path / "runs", "wide", (0.5, 0.4), WIDE)
        compare([tmp_path / "runs"], CompareOptions(tmp_path / "out", target="0.58"))
        assert (tmp_path / "out" / "target.png").exists()
        with open(tmp_path / "out" / "comparison.csv", encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["target"], row["reached"], row["updates_to_target"]) == ("0.58", "2", "20.0")
