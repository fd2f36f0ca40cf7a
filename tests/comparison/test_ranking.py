"""experiments/comparison/ranking.py: which number ranks, and which groups have it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.comparison.cells import columns, record
from experiments.comparison.notes import notes
from experiments.comparison.ranking import choose_ranking
from experiments.comparison.table import compare_groups
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.runs.floor_noise import floor_variances, noise_bands
from tests.comparison.by_hand import NARROW, WIDE, add, groups_in, measure, ranked
from tests.handmade import FLOORS, TIME_STEPS


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
