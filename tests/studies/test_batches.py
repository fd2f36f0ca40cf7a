"""The checkpoints that criteria read: every seed's, or none is decided by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from data.streams import state_of, training_stream
from experiments.reporting.claims import NotRun
from experiments.runs.checkpoints import Checkpoint, Position, save, save_best
from experiments.runs.run import Run
from experiments.studies.batches import as_one, best_checkpoints, last_checkpoints
from tests.handmade import finished_run

Read = Callable[[Run], Iterator[tuple[int, Checkpoint]]]
READERS = pytest.mark.parametrize("read", [last_checkpoints, best_checkpoints])


def checkpoint(seed: int, updates: int) -> Checkpoint:
    variables = {"W": np.full([2], updates, np.float32)}
    return Checkpoint(Position(seed, updates=updates), state_of(training_stream(seed)), variables)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two batches of two seeds, each with two checkpoints."""
    parts = []
    for first in (0, 2):
        keys = ["training.seeds=2", f"training.first_seed={first}"]
        part = finished_run(
            tmp_path, f"from{first}", [[0.5], [0.4]], overrides=keys, first_seed=first
        )
        for seed in part.config.seeds:
            for updates in (5, 10):
                save(part.directory.checkpoints, checkpoint(seed, updates))
        parts.append(part)
    return as_one(parts)


def newest(run: Run, seed: int) -> Path:
    (path,) = run.directory.path.parent.glob(f"from*/checkpoint/seed-{seed}/*10.npz")
    return path


def test_the_last_ones_are_those_of_every_batch(run: Run) -> None:
    found = dict(last_checkpoints(run))
    assert [(seed, kept.position.updates) for seed, kept in found.items()] == [
        (seed, 10) for seed in range(4)
    ]


def test_the_best_one_goes_before_the_last(run: Run) -> None:
    save_best(newest(run, 1).parent.parent, checkpoint(1, 7))
    found = [kept.position.updates for _, kept in best_checkpoints(run)]
    assert found == [10, 7, 10, 10]


@READERS
def test_a_damaged_one_is_named_and_no_earlier_one_takes_its_place(read: Read, run: Run) -> None:
    newest(run, 3).write_bytes(b"damaged")
    with pytest.raises(NotRun, match=r"run from[02]: .*seed-3/0*10\.npz: damaged"):
        list(read(run))


def test_a_damaged_best_one_is_named(run: Run) -> None:
    (newest(run, 2).parent / "best.npz").write_bytes(b"damaged")
    with pytest.raises(NotRun, match=r"run from[02]: .*seed-2/best\.npz: damaged"):
        list(best_checkpoints(run))


@READERS
def test_a_seed_without_one_is_named(read: Read, run: Run) -> None:
    for path in newest(run, 3).parent.iterdir():
        path.unlink()
    with pytest.raises(NotRun, match=r"run from[02]: no checkpoint of seed 3"):
        list(read(run))
