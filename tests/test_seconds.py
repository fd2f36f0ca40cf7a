"""Seconds of training mean the same in every table and plot: those of one seed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import run
from experiments.comparison.compare import CompareOptions, compare
from experiments.reporting.learning_curves import AXIS_LABELS
from experiments.runs.run import Run, read_run
from experiments.studies.report import runs_table
from experiments.sweeps.points import Point, read_results
from experiments.sweeps.results_table import print_results
from tests.handmade import TIME_STEPS, finished_run

STEP_SECONDS = (1e-4, 2e-4, 6e-4)  # seconds for a time step, by seed
ROWS, EVERY = 2, 10
A_SEED = sum(STEP_SECONDS) / 3 * ROWS * EVERY * TIME_STEPS  # 6 s
TITLE = "seconds a seed"


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Three seeds, with the seconds of all of them in the summary, as training writes it."""
    monkeypatch.chdir(tmp_path)
    found = finished_run(
        Path("runs"),
        "a",
        [[0.5, 0.4]] * 3,
        step_seconds=STEP_SECONDS,
        overrides=["training.seeds=3"],
    )
    seeds = {str(seed): "complete" for seed in range(3)}
    found.directory.write_summary(found.summary | {"seconds": 3 * A_SEED, "seeds": seeds})
    return read_run(found.directory.path, "a")


def test_they_are_the_mean_over_seeds_in_every_table(
    trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = f"{A_SEED:.1f}"
    compare([Path("runs")], CompareOptions(Path("out")))
    with open("out/comparison.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["seconds_a_seed"]) == pytest.approx(A_SEED)
    assert f"<th>{TITLE}</th>" in Path("out/report.html").read_text("utf-8")
    table = runs_table({"a": trained}, {"a": ""})
    assert dict(zip(table.columns, table.rows[0], strict=True))[TITLE] == shown
    capsys.readouterr()
    print_results(read_results([Point("a", (), trained.config, trained.directory.path)], {}))
    header, _, line = capsys.readouterr().out.splitlines()
    assert header.endswith(TITLE)
    assert line.endswith(shown)
    assert run.main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["seconds_a_seed"] == pytest.approx(A_SEED)


def test_rows_and_summary_agree(trained: Run) -> None:
    of_summary = trained.seconds_a_seed
    trained.directory.write_summary({"status": "interrupted", "seeds": {"0": "complete"}})
    partly = read_run(trained.directory.path)
    assert of_summary == pytest.approx(A_SEED)
    assert partly.seconds_a_seed == pytest.approx(STEP_SECONDS[0] * ROWS * EVERY * TIME_STEPS)
    trained.directory.write_summary({"status": "interrupted", "seeds": {"0": "interrupted"}})
    assert read_run(trained.directory.path).seconds_a_seed is None


def test_plots_name_those_of_one_seed() -> None:
    assert AXIS_LABELS["seconds"] == "seconds of training, one seed"
