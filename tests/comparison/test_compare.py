"""run.py compare: the table, the pictures, and the message about runs that did not end."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from experiments.comparison import compare as comparing
from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.figures import (
    MOST,
    Curve,
    arrange,
    curves_figure,
    greatest_loss,
    heat_map,
)
from experiments.comparison.groups import Group, group_runs
from experiments.comparison.ranking import RANKINGS
from experiments.comparison.table import Comparison, compare_groups
from experiments.errors import UsageError
from experiments.runs.found import find_runs
from experiments.statistics.best import above_best
from experiments.statistics.intervals import Interval
from tests.handmade import FLOORS, finished_run

RATES = ("0.001", "0.003", "0.01")


def add(folder: Path, num_steps: int, rate: str, finals: tuple[float, ...]) -> None:
    """A run with a seed for each of these final losses."""
    overrides = [
        f"graph.num_steps={num_steps}", f"optimizer.learning_rate={rate}",
        f"training.seeds={len(finals)}", "training.first_seed=0",
    ]  # fmt: skip
    losses = [[0.6, final] for final in finals]
    finished_run(folder, f"n{num_steps}/lr{rate}", losses, overrides=overrides)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """num_steps 18 and 54 at two rates, and a third rate for 54 alone, which diverged."""
    folder = tmp_path_factory.mktemp("grid")
    add(folder, 18, "0.001", (0.50, 0.54))
    add(folder, 18, "0.003", (0.48, 0.50))
    add(folder, 54, "0.001", (0.44, 0.46))
    add(folder, 54, "0.003", (0.40, 0.42))
    add(folder, 54, "0.01", (9.0, 9.0))
    (run,) = find_runs([folder / "n54" / "lr0.01"])
    run.directory.write_summary(
        {"status": "diverged", "floors": FLOORS, "seeds": {"0": "diverged"}}
    )
    return folder


@pytest.fixture(scope="module")
def groups(grid: Path) -> list[Group]:
    return group_runs(find_runs([grid]))


def test_runs_are_found_below_a_folder_and_each_once(grid: Path) -> None:
    found = find_runs([grid / "n18" / "lr0.001", grid, grid / "n18" / ".." / "n18"])
    names = [run.directory.path.relative_to(grid).as_posix() for run in found]
    assert names == ["n18/lr0.001", "n18/lr0.003", "n54/lr0.001", "n54/lr0.003", "n54/lr0.01"]


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run directory here or below: config\.yaml expected"):
        compare([tmp_path], CompareOptions(tmp_path / "out"))


@pytest.fixture(scope="module")
def ranked(groups: list[Group]) -> Comparison:
    return compare_groups(groups, RANKINGS["train"])


def expected_above_best() -> dict[str, list[float | None]]:
    """Each group's seeds against those of the best, over all six pairs of the four."""
    losses = {"a": (0.50, 0.54), "b": (0.48, 0.50), "c": (0.44, 0.46), "d": (0.40, 0.42)}
    found = above_best({name: dict(enumerate(values)) for name, values in losses.items()})
    return {name: list(each.interval) for name, each in found.items()}


def test_the_best_comes_first_and_the_rest_is_measured_against_it(ranked: Comparison) -> None:
    lines = ranked.lines
    assert [line.group.label for line in lines] == [
        "num_steps=54, learning_rate=0.003",
        "num_steps=54, learning_rate=0.001",
        "num_steps=18, learning_rate=0.003",
        "num_steps=18, learning_rate=0.001",
        "num_steps=54, learning_rate=0.01",
    ]
    assert (lines[0].standing, lines[0].behind) == ("best", None)
    assert lines[1].behind is not None
    assert list(lines[1].behind) == pytest.approx(expected_above_best()["c"])
    assert (lines[-1].mean, lines[-1].behind, lines[-1].standing) == (None, None, "")


def test_a_constant_difference_of_pairs_is_worse_and_a_scattered_one_is_tied(
    ranked: Comparison,
) -> None:
    """0.44 and 0.46 are 0.04 above 0.40 and 0.42, seed by seed; 0.50 and 0.54 are not."""
    standings = {line.group.label: line.standing for line in ranked.lines}
    assert standings["num_steps=54, learning_rate=0.001"] == "worse"
    assert standings["num_steps=18, learning_rate=0.001"] == "tied"


def test_a_tie_has_the_seeds_that_would_separate_it(ranked: Comparison) -> None:
    tied = ranked.lines[3]
    assert tied.standing == "tied"
    assert tied.seeds_needed is not None
    assert tied.seeds_needed > 2


def test_a_group_that_lost_seeds_is_not_the_best(tmp_path: Path) -> None:
    add(tmp_path, 18, "0.001", (0.5, 0.6))
    add(tmp_path, 54, "0.001", (0.1, 0.9))
    (run,) = find_runs([tmp_path / "n54"])
    run.directory.write_summary({"status": "diverged", "seeds": {"0": "complete"}})
    first, second = compare_groups(group_runs(find_runs([tmp_path])), RANKINGS["train"]).lines
    assert first.mean is not None
    assert first.mean.mean == 0.1  # of the seed that is left, and so not what others should reach
    assert first.behind is not None
    assert first.behind.mean == pytest.approx(-0.4)
    assert (first.standing, second.standing) == ("one seed", "best")


class Compared(NamedTuple):
    """The output of one call of compare."""

    out: Path
    printed: str


@pytest.fixture(scope="module")
def compared(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    out = tmp_path_factory.mktemp("compared")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        compare([grid], CompareOptions(out))
    return Compared(out, printed.getvalue())


def test_the_table_is_on_the_terminal_and_in_the_csv(compared: Compared) -> None:
    printed = compared.printed
    assert "0.4100 ± 0.1271" in printed  # 12.706, Student's t of one degree, times 0.01
    assert "diverged" in printed
    assert "Keys that differ: num_steps, learning_rate." in printed
    with open(compared.out / "comparison.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    best, second, *_, last = rows
    assert (best["num_steps"], best["learning_rate"], best["seeds"]) == ("54", "0.003", "2")
    assert float(best["final_loss"]) == pytest.approx(0.41)
    assert (best["above_best"], best["standing"]) == ("", "best")
    found = [float(second[f"above_best{end}"]) for end in ("", "_low", "_high")]
    assert found == pytest.approx(expected_above_best()["c"])
    assert (last["status"], last["seeds"], last["planned_seeds"]) == ("diverged", "0", "2")
    assert last["final_loss"] == ""
    (path,) = json.loads(last["run_directories"])
    assert path.endswith("n54/lr0.01")


def test_report_and_pictures_are_written(compared: Compared) -> None:
    names = {"heat_map", "comparison", "comparison_time_steps", "comparison_seconds"}
    assert {path.stem for path in compared.out.glob("*.png")} == names
    text = (compared.out / "report.html").read_text("utf-8")
    assert "<title>Comparison of 5 runs</title>" in text
    assert text.count("data:image/png;base64") == 4
    answer = "num_steps=54, learning_rate=0.003 is best, with a final loss of 0.4100"
    assert text.index(answer) < text.index("Keys that differ") < text.index("<figure")


def test_without_a_loss_there_is_no_heat_map_and_no_error(tmp_path: Path) -> None:
    for num_steps, rate in ((18, "0.001"), (54, "0.003")):
        add(tmp_path, num_steps, rate, (0.5,))
    for run in find_runs([tmp_path]):
        run.directory.metrics.unlink()
        run.directory.summary.unlink()
    compare([tmp_path], CompareOptions(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("*.png"))
    assert "not started" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_the_heat_map_has_a_cell_for_each_pair(ranked: Comparison) -> None:
    axes = heat_map(ranked, "title").axes[0]
    values = axes.images[0].get_array()
    assert values is not None
    np.testing.assert_allclose(
        np.ma.filled(values, np.nan), [[0.52, 0.49, np.nan], [0.45, 0.41, np.nan]]
    )
    assert [text.get_text() for text in axes.texts] == [
        "0.5200", "0.4900", "", "0.4500", "0.4100", "diverged",
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_xticklabels()] == list(RATES)
    frames = {
        (round(frame.get_x()), round(frame.get_y())): frame.get_linestyle()  # type: ignore[attr-defined]
        for frame in axes.patches
    }
    at_the_top = [line.group.label for line in ranked.lines if line.is_at_the_top]
    assert len(frames) == len(at_the_top) > 1
    assert frames.pop((1, 1)) == "-"
    assert set(frames.values()) == {"--"}


def test_a_run_that_diverged_does_not_press_the_others_flat(groups: list[Group]) -> None:
    curve = Curve("updates", lambda group: group.curves, FLOORS, {})
    (axes,) = curves_figure(groups, curve, "title").axes
    assert len(axes.get_legend_handles_labels()[1] or axes.lines) >= len(groups)
    assert 0.6 < axes.get_ylim()[1] < 0.7


def test_a_floor_above_all_losses_is_in_the_picture(tmp_path: Path) -> None:
    """Rows of many updates: the first of them is below the greater floor."""
    for rate, final in (("0.001", 0.44), ("0.003", 0.42)):
        overrides = [f"optimizer.learning_rate={rate}", "training.seeds=1"]
        finished_run(tmp_path, rate, [[0.45, final]], overrides=overrides)
    runs = group_runs(find_runs([tmp_path]))
    curve = Curve("updates", lambda group: group.curves, FLOORS, {})
    (axes,) = curves_figure(runs, curve, "title").axes
    assert max(FLOORS.values()) < axes.get_ylim()[1]
    assert greatest_loss(runs, curve) == max(FLOORS.values())  # the top of the interactive chart


def test_panels_name_their_floors(tmp_path: Path) -> None:
    for number in range(8):
        add(tmp_path, 18 + number, "0.001", (0.4, 0.41))
    bands = {"lag 17": Interval(0.4, 0.39, 0.41)}
    curve = Curve("updates", lambda group: group.curves, FLOORS, bands)
    for axes in curves_figure(group_runs(find_runs([tmp_path])), curve, "title").axes:
        assert [text.get_text() for text in axes.texts] == [
            "0.6000\nnothing known", "0.4000 ± 0.0100\nlag 17 known",
        ]  # fmt: skip


class TestArrange:
    def groups(self, *sizes: int) -> list[Group]:
        """A group for each combination of values, which is all that the arrangement depends on."""
        return [Group(dict(zip("abc", values, strict=False)), []) for values in np.ndindex(*sizes)]

    def test_few_share_one_panel(self) -> None:
        groups = self.groups(MOST)
        assert arrange(groups) == {"": groups}

    def test_many_are_parted_by_the_key_that_needs_the_fewest_panels(self) -> None:
        panels = arrange(self.groups(4, 6))
        assert list(panels) == ["a=0", "a=1", "a=2", "a=3"]
        assert {len(members) for members in panels.values()} == {6}

    def test_by_two_keys_where_one_is_not_enough(self) -> None:
        panels = arrange(self.groups(3, 3, 3))
        assert len(panels) == 9
        assert next(iter(panels)) == "a=0, b=0"

    def test_one_key_of_many_values_is_cut_as_it_comes(self) -> None:
        panels = arrange(self.groups(20))
        assert [len(members) for members in panels.values()] == [7, 7, 6]
        assert len(panels) == math.ceil(20 / MOST)


def test_pictures_that_cannot_be_drawn_do_not_fail_a_comparison(
    grid: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no font")

    compare([grid], CompareOptions(tmp_path))
    assert (tmp_path / "heat_map.png").exists()
    for name in ("curves_figure", "heat_map"):
        monkeypatch.setattr(comparing, name, fail)
    capsys.readouterr()
    compare([grid], CompareOptions(tmp_path))
    assert not list(tmp_path.glob("*.png"))
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 4  # the heat map, and curves against three axes
    assert all(line.endswith(".png: cannot be drawn: RuntimeError: no font") for line in warnings)
    report = (tmp_path / "report.html").read_text("utf-8")
    assert 'class="chart-data"' in report
    assert "data:image/png" not in report
