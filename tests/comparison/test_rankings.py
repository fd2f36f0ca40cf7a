"""compare: what is ranked by which number, targets, formats, folders, and tasks of their own."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import trim_mean

from experiments.comparison.cells import columns, record, shown
from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.figures import Curve, curves_figure
from experiments.comparison.folder import sweep_folder
from experiments.comparison.groups import Group, group_runs, labels_of
from experiments.comparison.notes import notes
from experiments.comparison.ranking import RANKINGS, choose_ranking
from experiments.comparison.table import Comparison, compare_groups
from experiments.comparison.targets import parse_target
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.reporting.tables import write_csv
from experiments.runs.floor_noise import floor_variances, noise_bands
from experiments.runs.found import find_runs
from experiments.runs.metrics import MetricsFile
from experiments.statistics import estimates
from experiments.statistics.bootstrap import studentized_interval
from experiments.statistics.intervals import Interval
from experiments.statistics.mixtures import mixture
from tests.handmade import FLOORS, TIME_STEPS, finished_run

WIDE, NARROW = "graph.num_steps=54", "graph.num_steps=18"


def groups_in(folder: Path) -> list[Group]:
    return group_runs(find_runs([folder]))


def ranked(folder: Path, by: str | None = None, target: str | None = None) -> Comparison:
    groups = groups_in(folder)
    ranking = choose_ranking(groups, by)
    split = "valid" if ranking.by == "valid" else "train"
    return compare_groups(groups, ranking, parse_target(target, split) if target else None)


def add(
    folder: Path,
    name: str,
    finals: Sequence[float],
    *overrides: str,
    valid: Sequence[Sequence[float]] = (),
    fresh: Sequence[float] = (),
    learned: Sequence[bool] = (),
) -> None:
    """A run with three rows a seed: 0.6, 0.55 and the final one."""
    losses = [[0.6, 0.55, final] for final in finals]
    seeds = f"training.seeds={len(finals)}", "training.first_seed=0"
    finished_run(folder, name, losses, learned, [*overrides, *seeds], valid=valid, fresh=fresh)


def measure(path: Path, **accuracy: float) -> None:
    """Rewrite the run's metrics.csv with an accuracy for each split, on every row."""
    (run,) = find_runs([path])
    splits = run.rows_by_seed, run.validation_rows
    rows = itertools.chain.from_iterable(each for split in splits for each in split.values())
    metrics = MetricsFile(run.directory.metrics)
    metrics.start()
    metrics.append([row._replace(metrics={"accuracy": accuracy[row.split]}) for row in rows])


@pytest.fixture
def overfitted(tmp_path: Path) -> Path:
    """The wide one is better in training and worse in validation, where it gets worse again."""
    add(tmp_path, "wide", (0.30, 0.31), WIDE, valid=[[0.5, 0.45, 0.7], [0.5, 0.46, 0.7]])
    add(tmp_path, "narrow", (0.40, 0.41), NARROW, valid=[[0.5, 0.42, 0.43], [0.5, 0.43, 0.44]])
    return tmp_path


class TestRankings:
    def test_validated_runs_are_ranked_by_validation(self, overfitted: Path) -> None:
        compared = ranked(overfitted)
        assert compared.ranking.by == "valid"
        assert [line.group.label for line in compared.lines] == ["num_steps=18", "num_steps=54"]
        titles = [column.title for column in columns(compared)]
        assert {"best validation loss", "last validation loss", "final loss"} <= set(titles)
        found = record(compared.lines[1], compared)
        assert found["best_validation_loss"] == pytest.approx(0.455)
        assert found["last_validation_loss"] == pytest.approx(0.7)

    def test_by_train_the_other_is_first(self, overfitted: Path) -> None:
        first, _ = ranked(overfitted, "train").lines
        assert first.group.label == "num_steps=54"

    def test_generated_tasks_are_ranked_by_fresh_data(self, tmp_path: Path) -> None:
        add(tmp_path, "wide", (0.5, 0.5), WIDE, fresh=(0.44, 0.45))
        add(tmp_path, "narrow", (0.4, 0.4), NARROW, fresh=(0.46, 0.47))
        compared = ranked(tmp_path)
        assert compared.ranking.by == "fresh"
        assert compared.lines[0].group.label == "num_steps=54"

    def test_a_repeated_seed_does_not_narrow_the_band_of_the_floor(self, tmp_path: Path) -> None:
        variances = floor_variances(load_config("lag_17"))
        high = noise_bands(FLOORS, variances, 2 * TIME_STEPS)["lag 17"].high
        assert high is not None
        loss = 0.1 * FLOORS["lag 17"] + 0.9 * high  # outside where each seed counts twice
        for name in ("once", "again"):
            add(tmp_path, name, (0.4, 0.41), fresh=(loss, loss))
        compared = ranked(tmp_path)
        (floor,) = [column for column in columns(compared) if column.title == "at the floor"]
        assert floor.cell(compared.lines[0]) == "lag 17"

    def test_what_is_missing_in_another_task_is_no_earlier_version(self, tmp_path: Path) -> None:
        add(tmp_path, "binary", (0.5, 0.5), fresh=(0.44, 0.45))
        add(tmp_path, "other", (0.4, 0.4), "task.dependencies.0.effect=0.1")
        compared = ranked(tmp_path)
        assert len(compared.tasks) == 2
        assert not any("did not measure the loss on fresh data" in note for note in notes(compared))

    def test_what_only_some_have_does_not_rank(self, tmp_path: Path) -> None:
        add(tmp_path, "wide", (0.5, 0.5), WIDE, fresh=(0.44, 0.45))
        add(tmp_path, "narrow", (0.4, 0.4), NARROW)
        compared = ranked(tmp_path)
        assert compared.ranking.by == "train"
        assert any("did not measure the loss on fresh data" in note for note in notes(compared))

    def test_of_accuracy_more_is_better(self, tmp_path: Path) -> None:
        for name, override, accuracy in (("wide", WIDE, 0.9), ("narrow", NARROW, 0.8)):
            add(tmp_path, name, (0.5, 0.5), override)
            measure(tmp_path / name, train=accuracy)
        compared = ranked(tmp_path, "accuracy")
        assert [line.group.label for line in compared.lines] == ["num_steps=54", "num_steps=18"]
        behind = compared.lines[1].behind
        assert behind is not None
        assert behind.mean == pytest.approx(0.1)

    @pytest.mark.parametrize("accuracies", [(0.99, 0.999), (0.9, 0.99, 0.999, 1.0)])
    def test_no_interval_of_accuracy_is_above_one(
        self, accuracies: Sequence[float], tmp_path: Path
    ) -> None:
        add(tmp_path, "wide", [0.5] * len(accuracies), WIDE)
        measure(tmp_path / "wide", train=0.9)
        groups = groups_in(tmp_path)
        ranking = choose_ranking(groups, "accuracy")
        measured = ranking._replace(values=lambda _: dict(enumerate(accuracies)))
        (line,) = compare_groups(groups, measured).lines
        assert line.found is not None
        assert line.found.mean.high == 1
        for interval in filter(None, (line.found.bootstrap, line.found.interquartile)):
            assert interval.high is not None
            assert interval.high <= 1

    def test_accuracy_of_validation_is_not_compared_with_that_of_training(
        self, tmp_path: Path
    ) -> None:
        add(tmp_path, "wide", (0.5, 0.5), WIDE, valid=[[0.5, 0.5, 0.5]] * 2)
        measure(tmp_path / "wide", train=0.95, valid=0.7)
        assert ranked(tmp_path, "accuracy").lines[0].ranked == {0: 0.7, 1: 0.7}
        add(tmp_path, "narrow", (0.5, 0.5), NARROW)
        measure(tmp_path / "narrow", train=0.8)
        compared = ranked(tmp_path, "accuracy")
        assert compared.ranking.text == "the accuracy over the last tenth of training"
        assert [line.group.label for line in compared.lines] == ["num_steps=54", "num_steps=18"]
        assert compared.lines[0].ranked == pytest.approx({0: 0.95, 1: 0.95})

    @pytest.mark.parametrize("by", ["valid", "accuracy"])
    def test_what_no_run_has_is_named(self, tmp_path: Path, by: str) -> None:
        add(tmp_path, "wide", (0.5,), WIDE)
        with pytest.raises(UsageError, match=rf"--by {by}: no run here has it; expected one of tr"):
            choose_ranking(groups_in(tmp_path), by)

    def test_no_metric_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--by: expected one of train, valid, fresh, acc"):
            choose_ranking([], "acuracy")


def test_remarks_fold_between_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    add(tmp_path, "wide", (0.40, 0.45, 0.50), WIDE)
    add(tmp_path, "narrow", (0.46, 0.42, 0.50), NARROW)
    compare([tmp_path], CompareOptions(tmp_path / "out"))
    *lines, _report = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Tied with") for line in lines)
    assert max(map(len, lines)) <= 80


def test_equal_groups_are_tied_and_told_how_many_seeds_it_takes(tmp_path: Path) -> None:
    add(tmp_path, "wide", (0.40, 0.45, 0.50), WIDE)
    add(tmp_path, "narrow", (0.46, 0.42, 0.50), NARROW)
    compared = ranked(tmp_path)
    assert [line.standing for line in compared.lines] == ["best", "tied"]
    (note,) = (note for note in notes(compared) if note.startswith("Tied with"))
    assert f"num_steps=18 (about {compared.lines[1].seeds_needed:,} seeds)" in note


def test_different_tasks_have_a_best_each_and_pictures_each(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for lag in (9, 17):
        for override, final in ((WIDE, 0.4), (NARROW, 0.5)):
            name = f"{lag}-{override[-2:]}"
            add(runs, name, (final, final + 0.01), override, f"task.dependencies.0.lag={lag}")
    compared = ranked(runs)
    assert [line.standing for line in compared.lines] == ["best", "worse"] * 2
    assert any("2 tasks, whose losses cannot be compared" in note for note in notes(compared))
    compare([runs], CompareOptions(tmp_path / "out"))
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"heat_map.png", "comparison_task_1.png", "comparison_task_2.png"}
    assert "training loss, lag=9" in (tmp_path / "out/report.html").read_text()


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


def test_learned_lags_are_counted(tmp_path: Path) -> None:
    add(tmp_path, "wide", (0.4, 0.5, 0.4), WIDE, learned=(True, False, True))
    compared = ranked(tmp_path)
    cells = {column.title: column.cell(compared.lines[0]) for column in columns(compared)}
    assert cells["learned lag 17"] == "2/3"


class TestFormats:
    @pytest.fixture
    def runs(self, tmp_path: Path) -> Path:
        add(tmp_path / "runs", "wide", (0.40, 0.42), WIDE)
        add(tmp_path / "runs", "narrow", (0.50, 0.52), NARROW)
        return tmp_path / "runs"

    def printed(self, runs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
        compare([runs], CompareOptions(format=name))
        return capsys.readouterr().out

    def test_json_has_null_for_a_metric_that_is_not_finite(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A gradient may be too large for the square of its norm while the loss is finite."""
        run = finished_run(tmp_path, "run", [[0.5], [0.4]])
        rows = [row._replace(metrics={"gradient_norm": math.inf}) for row in run.rows]
        file = MetricsFile(run.directory.metrics)
        file.start()
        file.append(rows)
        compare([tmp_path], CompareOptions(by="gradient_norm", format="json"))
        (group,) = json.loads(capsys.readouterr().out)["groups"]
        assert group["gradient_norm"] is None
        assert group["final_loss"] == pytest.approx(0.45)

    def test_json_has_every_number(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = json.loads(self.printed(runs, "json", capsys))
        assert found["ranked_by"] == "train"
        first, second = found["groups"]
        assert first["num_steps"] == 54
        assert first["final_loss"] == pytest.approx(0.41)
        assert (first["standing"], second["standing"]) == ("best", "worse")
        assert first["run_directories"] == [str(runs / "wide")]

    def test_markdown_is_a_table(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lines = self.printed(runs, "md", capsys).splitlines()
        assert lines[0].startswith("| num_steps | seeds | final loss |")
        assert lines[2].startswith("| 54 | 2 | **0.4100 ± 0.1271** |")
        assert len(lines) == 4

    def test_latex_has_mathematics(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        text = self.printed(runs, "latex", capsys)
        assert r"num\_steps & seeds" in text
        assert r"54 & 2 & \textbf{$0.4100 \pm 0.1271$}" in text
        assert text.count(r"\\") == 3


def test_an_interval_that_is_cut_shows_its_ends() -> None:
    assert shown(Interval(0.5, 0.4, 0.6)) == "0.5000 ± 0.1000"
    assert shown(Interval(0.1, 0.0, 0.6)) == "0.1000 (0.0000 to 0.6000)"
    assert shown(Interval(0.1, None, None), "+") == "+0.1000"


class TestFolders:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        add(Path("runs one"), "wide", (0.40, 0.42), WIDE)
        add(Path("two/runs one"), "narrow", (0.50, 0.52), NARROW)

    def test_a_default_folder_has_the_name_of_the_runs(self) -> None:
        compare([Path("runs one"), Path("two")], CompareOptions())
        assert Path("reports/compare-runs-one+two/report.html").exists()

    def test_another_comparison_of_that_name_has_a_folder_of_its_own(self) -> None:
        compare([Path("runs one")], CompareOptions())
        compare([Path("runs one")], CompareOptions())
        compare([Path("two/runs one")], CompareOptions())
        assert {path.name for path in Path("reports").iterdir()} == {
            "compare-runs-one", "compare-runs-one-2",
        }  # fmt: skip

    def test_a_given_folder_is_replaced_with_a_word_and_no_old_picture(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        compare([Path("runs one")], CompareOptions(Path("out"), target="0.58"))
        assert Path("out/target.png").exists()
        assert "replaces" not in capsys.readouterr().out
        compare([Path("two")], CompareOptions(Path("out")))
        assert "This replaces a comparison of other runs in out." in capsys.readouterr().out
        assert not Path("out/target.png").exists()

    def test_the_report_of_another_command_is_replaced_with_a_word(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("out").mkdir()
        Path("out/report.html").write_text("of a study")
        compare([Path("two")], CompareOptions(Path("out")))
        assert "this replaces report.html in out\n" in capsys.readouterr().err

    def test_a_table_for_another_program_says_what_it_replaces(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in ("runs one", "two"):
            compare([Path(path)], CompareOptions(Path("out"), format="md"))
        said = capsys.readouterr()
        assert said.err.endswith("this replaces a comparison of other runs in out\n")
        assert "replaces" not in said.out

    def test_sweeps_of_other_points_have_folders_of_their_own(self) -> None:
        one, others = (
            [run.directory.path for run in find_runs([Path(path)])] for path in ("runs one", "two")
        )
        assert sweep_folder("s", one) == Path("reports/sweep-s")
        compare(one, CompareOptions(sweep_folder("s", one)))
        assert sweep_folder("s", others) == Path("reports/sweep-s-2")
        assert sweep_folder("s", [*one, *others]) == Path("reports/sweep-s")  # it has grown


def test_names_leave_out_what_is_constant_or_null() -> None:
    values: list[dict[str, Any]] = [
        {"kind": "full", "depth": None, "size": 20},
        {"kind": "true_bptt", "depth": 4, "size": 20},
    ]
    assert labels_of([Group(each, []) for each in values]) == [
        "kind=full",
        "kind=true_bptt, depth=4",
    ]


def test_panels_name_their_floors(tmp_path: Path) -> None:
    for number in range(8):
        add(tmp_path, str(number), (0.4, 0.41), f"graph.num_steps={18 + number}")
    bands = {"lag 17": Interval(0.4, 0.39, 0.41)}
    curve = Curve("updates", lambda group: group.curves, FLOORS, bands)
    for axes in curves_figure(groups_in(tmp_path), curve, "title").axes:
        assert [text.get_text() for text in axes.texts] == [
            "0.6000\nnothing known", "0.4000 ± 0.0100\nlag 17 known",
        ]  # fmt: skip


def test_a_formula_becomes_text_and_a_number_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(path, ["a", "b", "c", "d"], [["=1+1", "-0.5", -0.5, "@x"]])
    assert path.read_text().splitlines()[1] == "'=1+1,-0.5,-0.5,'@x"


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
