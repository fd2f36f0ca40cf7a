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
