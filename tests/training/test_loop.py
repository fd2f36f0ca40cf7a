"""experiments/training/loop.py: how the epochs of a seed are cut, and that no cut matters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import Windows
from experiments.training import loop as training_loop
from experiments.training.loop import Chunk, TrainingLoop
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from tests.conftest import small_config

CONFIG = small_config("task.size=2600")  # 26 updates an epoch, 10 of them at most in a chunk


@pytest.fixture(scope="module")
def session() -> Iterator[TrainingSession]:
    with TrainingSession(build(CONFIG, make_workload(CONFIG)), 1) as opened:
        yield opened


@pytest.fixture
def loop(session: TrainingSession, monkeypatch: pytest.MonkeyPatch) -> TrainingLoop:
    monkeypatch.setattr(training_loop, "CALL_SECONDS", 1e9)
    return TrainingLoop(CONFIG, make_workload(CONFIG), session, None)


def losses(chunks: list[Chunk]) -> list[float]:
    return [loss for chunk in chunks for loss in chunk.metrics["loss"]]


def assert_same(ours: dict[str, NDArray[Any]], theirs: dict[str, NDArray[Any]]) -> None:
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


def test_chunks_fill_the_epochs(loop: TrainingLoop) -> None:
    chunks = list(loop.run(loop.start(0)))
    assert [chunk.updates for chunk in chunks] == [1, 9, 10, 6, 10, 10, 6]
    assert [chunk.epoch for chunk in chunks] == [1, 1, 1, 1, 2, 2, 2]
    ends = [(chunk.end.epoch, chunk.end.window) for chunk in chunks]
    assert ends == [(0, 1), (0, 10), (0, 20), (1, 0), (1, 10), (1, 20), (2, 0)]
    assert [chunk.ends_epoch for chunk in chunks] == [False, False, False, True, False, False, True]
    assert [chunk.status for chunk in chunks] == ["running"] * 6 + ["complete"]


def test_a_chunk_is_as_long_as_the_latest_updates_allow(
    loop: TrainingLoop, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, variables = losses(list(loop.run(loop.start(0)))), session.variables()
    monkeypatch.setattr(training_loop, "CALL_SECONDS", 1.0)
    seconds = iter([0.5, 0.25, 0.125, 4.0] + [0.25] * 20)  # an update of each call
    clock, train = [0.0], session.train

    def slowly(windows: Windows, count: int) -> dict[str, NDArray[Any]]:
        clock[0] += count * next(seconds)
        return train(windows, count)

    monkeypatch.setattr(session, "train", slowly)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    slow = TrainingLoop(CONFIG, make_workload(CONFIG), session, None)
    chunks = list(slow.run(slow.start(0)))
    assert [chunk.updates for chunk in chunks][:10] == [1, 2, 4, 3, 1, 4, 4, 1, 4, 2]
    assert losses(chunks) == whole
    assert_same(session.variables(), variables)


def test_cuts_end_chunks_and_change_nothing(loop: TrainingLoop, session: TrainingSession) -> None:
    whole, variables = losses(list(loop.run(loop.start(0)))), session.variables()
    cut = list(loop.run(loop.start(0), cuts=[0, 3, 26, 37]))
    assert [chunk.updates for chunk in cut] == [3, 7, 10, 6, 10, 1, 9, 6]
    assert losses(cut) == whole
    assert_same(session.variables(), variables)


@pytest.mark.parametrize("done", [1, 3, 5])
def test_it_resumes_at_the_end_of_any_chunk(
    loop: TrainingLoop, session: TrainingSession, done: int
) -> None:
    whole, end = list(loop.run(loop.start(0))), session.variables()
    running = loop.run(loop.start(0))
    first = [next(running) for _ in range(done)]
    variables = session.variables()
    loop.start(1)  # another seed in between
    session.restore(variables)
    rest = list(loop.run(first[-1].end))
    assert losses(first + rest) == losses(whole)
    assert_same(session.variables(), end)


def test_a_loss_that_is_not_finite_ends_the_seed(
    loop: TrainingLoop, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, calls = session.train, []

    def broken(*arguments: Any) -> dict[str, NDArray[Any]]:
        measured = train(*arguments)
        calls.append(arguments)
        if len(calls) == 2:
            measured["loss"] = np.where(np.arange(9) == 4, np.nan, measured["loss"])
        return measured

    monkeypatch.setattr(session, "train", broken)
    chunks = list(loop.run(loop.start(0)))
    assert [chunk.updates for chunk in chunks] == [1, 4]
    assert [chunk.status for chunk in chunks] == ["running", "diverged"]
    assert all({len(values) for values in c.metrics.values()} == {c.updates} for c in chunks)
