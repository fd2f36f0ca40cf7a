"""experiments/training/tensorboard.py: what TensorBoard shows."""

from __future__ import annotations

from pathlib import Path

from experiments.runs.metrics import MetricsRow
from experiments.training.tensorboard import Events
from tests.conftest import shown_by_tensorboard


def write(directory: Path, start: int, updates: range) -> None:
    events = Events(directory, 3, start)
    events.write([MetricsRow(3, 1, update, update, 0.0, "train", update / 8) for update in updates])
    events.close()


def test_rows_are_scalars_against_updates(tmp_path: Path) -> None:
    write(tmp_path, 0, range(1, 4))
    assert shown_by_tensorboard(tmp_path / "seed-3") == [(1, 0.125), (2, 0.25), (3, 0.375)]


def test_a_seed_that_goes_on_replaces_what_it_repeats(tmp_path: Path) -> None:
    write(tmp_path, 0, range(1, 6))
    write(tmp_path, 2, range(3, 8))
    assert [step for step, _ in shown_by_tensorboard(tmp_path / "seed-3")] == list(range(1, 8))


def test_metrics_are_scalars_under_their_tags(tmp_path: Path) -> None:
    events = Events(tmp_path, 0, 0)
    row = MetricsRow(0, 1, 100, 5000, 1.0, "train", 0.5, {"accuracy": 0.75, "gradient_norm": 2.0})
    validation = row._replace(split="valid", metrics={"accuracy": 0.25})
    events.write([row, row._replace(updates=200, metrics={}), validation])
    events.close()
    seed = tmp_path / "seed-0"
    assert shown_by_tensorboard(seed) == [(100, 0.5), (200, 0.5)]
    assert shown_by_tensorboard(seed, "accuracy/train") == [(100, 0.75)]
    assert shown_by_tensorboard(seed, "gradient_norm/train") == [(100, 2.0)]
    assert shown_by_tensorboard(seed, "accuracy/valid") == [(100, 0.25)]
