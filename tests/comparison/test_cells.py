"""experiments/comparison/cells.py: the columns of the table, and the same numbers in records."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import trim_mean

from experiments.comparison.cells import columns, record, shown
from experiments.comparison.notes import notes
from experiments.comparison.ranking import RANKINGS
from experiments.comparison.table import compare_groups
from experiments.statistics import estimates
from experiments.statistics.bootstrap import studentized_interval
from experiments.statistics.intervals import Interval
from experiments.statistics.mixtures import mixture
from tests.comparison.by_hand import NARROW, WIDE, add, groups_in, measure, ranked


def test_learned_lags_are_counted(tmp_path: Path) -> None:
    add(tmp_path, "wide", (0.4, 0.5, 0.4), WIDE, learned=(True, False, True))
    compared = ranked(tmp_path)
    cells = {column.title: column.cell(compared.lines[0]) for column in columns(compared)}
    assert cells["learned lag 17"] == "2/3"


def test_an_interval_that_is_cut_shows_its_ends() -> None:
    assert shown(Interval(0.5, 0.4, 0.6)) == "0.5000 ± 0.1000"
    assert shown(Interval(0.1, 0.0, 0.6)) == "0.1000 (0.0000 to 0.6000)"
    assert shown(Interval(0.1, None, None), "+") == "+0.1000"


def test_a_final_loss_of_rows_names_its_updates(tmp_path: Path) -> None:
    add(tmp_path, "wide", (0.4,), WIDE)
    compared = compare_groups(groups_in(tmp_path), RANKINGS["train"])
    cells = {column.title: column.cell(compared.lines[0]) for column in columns(compared)}
    assert cells["updates in the final loss"] == "10 (rows)"
    assert any("up to 10 of 30 updates" in note for note in notes(compared))


class TestSeedsOfEitherSide:
    """Where some seeds learned and others did not, floors 0.4 and 0.6."""

    LEARNED = (0.41, 0.42, 0.43, 0.44)

    def test_both_sides_are_in_the_table_the_notes_and_the_json(self, tmp_path: Path) -> None:
        add(tmp_path, "narrow", (*self.LEARNED, 0.60), NARROW)
        add(tmp_path, "wide", (0.40, 0.41, 0.42, 0.43, 0.44), WIDE)
        compared = ranked(tmp_path, "train")
        wide, narrow = compared.lines
        cell = {column.title: column.cell for column in columns(compared)}
        assert cell["either side of the middle"](narrow) == "4 at 0.4250, 1 at 0.6000"
        assert cell["either side of the middle"](wide) == ""
        (note,) = [note for note in notes(compared) if "middle of the floors" in note]
        assert note.startswith(
            "num_steps=18: 4 of 5 seeds end below the middle of the floors, 0.5 "
        )
        found = record(narrow, compared)
        assert found["seeds_below_middle"] == 4
        assert found["loss_below_middle"] == pytest.approx(0.425)
        assert found["loss_above_middle"] == pytest.approx(0.6)
        assert found["share_below_middle_low"] == pytest.approx(0.376, abs=1e-3)  # Wilson, 4 of 5
        assert record(wide, compared)["seeds_below_middle"] is None

    def test_the_interval_of_all_is_that_of_the_mixture(self, tmp_path: Path) -> None:
        losses = (*self.LEARNED, 0.60)
        add(tmp_path, "narrow", losses, NARROW)
        (line,) = ranked(tmp_path, "train").lines
        assert line.mean == pytest.approx(mixture(losses, 0.5, 0.4, 0.6).mean)
        assert line.mean != pytest.approx(estimates.interval(estimates.mean(losses)))

    def test_another_metric_has_no_floors(self, tmp_path: Path) -> None:
        add(tmp_path, "narrow", (*self.LEARNED, 0.60), NARROW)
        measure(tmp_path / "narrow", train=0.5)
        (line,) = ranked(tmp_path, "accuracy").lines
        assert line.found is not None
        assert line.found.modes is None


class TestInterquartileMean:
    LOSSES = (0.40, 0.41, 0.42, 0.44, 0.60)  # one outlier, which it leaves out

    def test_it_is_in_the_details_the_csv_and_the_json(self, tmp_path: Path) -> None:
        add(tmp_path, "five", self.LOSSES, NARROW)
        add(tmp_path, "three", self.LOSSES[:3], WIDE)
        compared = ranked(tmp_path, "train")
        of = {len(line.ranked): line for line in compared.lines}
        found = record(of[5], compared)
        assert found["interquartile_mean"] == pytest.approx((0.41 + 0.42 + 0.44) / 3)
        (cell,) = [each for each in columns(compared) if each.title == "interquartile mean"]
        low, high = (found[f"interquartile_mean_{end}"] for end in ("low", "high"))
        assert cell.cell(of[5]) == f"0.4233 ({low:.4f} to {high:.4f})"
        assert not cell.is_short  # the terminal has no room for it
        assert cell.cell(of[3]) == ""
        assert record(of[3], compared)["interquartile_mean"] is None

    def test_its_interval_is_that_of_all_resamples(self, tmp_path: Path) -> None:
        add(tmp_path, "five", self.LOSSES, NARROW)
        compared = ranked(tmp_path, "train")
        found = record(compared.lines[0], compared)
        resamples = np.array(list(itertools.product(self.LOSSES, repeat=5)))
        ends = np.quantile(trim_mean(resamples, 0.25, axis=1), [0.025, 0.975])
        assert found["interquartile_mean_low"] == pytest.approx(ends[0], abs=2e-3)
        assert found["interquartile_mean_high"] == pytest.approx(ends[1], abs=1e-2)


class TestBootstrap:
    def test_it_is_beside_students_t_for_fewer_than_ten_seeds(self, tmp_path: Path) -> None:
        few = (0.40, 0.41, 0.42, 0.44, 0.45)
        add(tmp_path, "few", few, NARROW)
        add(tmp_path, "many", [0.40 + 0.005 * seed for seed in range(10)], WIDE)
        compared = ranked(tmp_path, "train")
        of = {len(line.ranked): line for line in compared.lines}
        cell = {column.title: column.cell for column in columns(compared)}["bootstrap"]
        _, low, high = studentized_interval(few, lowest=0.4)  # the lowest floor
        assert cell(of[5]) == f"{low:.4f} to {high:.4f}"
        assert cell(of[10]) == ""
        assert record(of[5], compared)["bootstrap_low"] == pytest.approx(low)
        assert record(of[10], compared)["bootstrap_high"] is None

    def test_two_seeds_have_none(self, tmp_path: Path) -> None:
        add(tmp_path, "two", (0.40, 0.41), NARROW)
        compared = ranked(tmp_path, "train")
        assert "bootstrap" not in [column.title for column in columns(compared)]
