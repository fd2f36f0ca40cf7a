"""200,000 symbols: at num_steps 10 and logging.every=100, all of training is a single row.

The mean of that row is worse than the final loss of num_steps 1, whose rows are shorter. The final
loss is that of the last tenth whatever is logged, so the better run is ranked first.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.comparison.groups import group_runs
from experiments.comparison.ranking import choose_ranking
from experiments.comparison.table import Comparison, compare_groups
from experiments.config.compose import load_config
from experiments.runs.found import find_runs
from experiments.runs.metrics import read_metrics
from experiments.runs.run import read_run
from experiments.training import runner
from tests.handmade import EVERY, finished_run

ROW, LAST_TENTH, OTHERS = 0.6409, 0.5981, 0.6041  # of num_steps 10, twice, and of num_steps 1


def compared(folder: Path, by: str | None) -> Comparison:
    groups = group_runs(find_runs([folder]))
    return compare_groups(groups, choose_ranking(groups, by))


def test_the_last_tenth_that_training_kept_is_ranked_and_not_the_row(tmp_path: Path) -> None:
    narrow = finished_run(tmp_path, "narrow", [[0.65, OTHERS]], overrides=["graph.num_steps=1"])
    wide = finished_run(tmp_path, "wide", [[ROW]], overrides=["graph.num_steps=10"])
    for run, loss, trained in ((narrow, OTHERS, 2 * EVERY), (wide, LAST_TENTH, EVERY)):
        summary = run.directory.read_summary()
        kept = {"mean": loss, "per_seed": {"0": loss}, "updates": {"0": trained // 10}}
        run.directory.write_summary(summary | {"final_loss": kept, "updates": {"0": trained}})
    lines = compared(tmp_path, "train").lines
    assert [line.group.label for line in lines] == ["num_steps=10", "num_steps=1"]
    assert [line.ranked[0] for line in lines] == [LAST_TENTH, OTHERS]


@pytest.mark.slow
def test_200_000_symbols(tmp_path: Path) -> None:
    size = "task.size=200000"
    for name, overrides in (
        ("compared/n10", ["graph.num_steps=10", "logging.every=100"]),
        ("compared/n1", ["graph.num_steps=1", "logging.every=100"]),
        ("often/n10", ["graph.num_steps=10", "logging.every=10"]),
    ):
        runner.train(load_config("r2rt_n5", [size, *overrides]), tmp_path / name)
    assert len(read_metrics(tmp_path / "compared/n10/metrics.csv")) == 1
    rarely, often = (read_run(tmp_path / name / "n10") for name in ("compared", "often"))
    assert rarely.final_losses == often.final_losses
    assert rarely.finals[0].updates == rarely.finals[0].trained // 10
    for by in ("train", None):
        first, second = compared(tmp_path / "compared", by).lines
        assert (first.group.label, second.group.label) == ("num_steps=10", "num_steps=1")
    assert compared(tmp_path / "compared", None).ranking.by == "fresh"
