"""Shared by many tests: a shrunken experiment, ways to run it, and ways to read its output."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.runs import checkpoints
from experiments.runs.metrics import MetricsRow, read_metrics
from experiments.training import runner
from rnn_graphs.cells.traits import CELLS

# The same examples in every run; building a graph for one takes longer than hypothesis allows.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 200  # seconds for one command: it hangs, rather than being slow

# 200 updates an epoch, a checkpoint after each 10 of them, a row of metrics after each 100; one
# seed after the other.
SMALL = (
    "task.size=20000",
    "graph.batch_size=20",
    "training.epochs=2",
    "execution.iterations_per_loop=10",
    "execution.xla=off",
    "execution.threads=1",
    "logging.checkpoint_seconds=0",
)


@functools.cache
def small_config(*overrides: str) -> Config:
    """r2rt_n5 on little data: 400 updates in about half a second."""
    return load_config("r2rt_n5", [*SMALL, *overrides])


def no_seconds(rows: Sequence[MetricsRow]) -> list[MetricsRow]:
    """Rows without their times, which are the same in every run."""
    return [row._replace(seconds=0.0) for row in rows]


def metrics_of(path: Path) -> list[MetricsRow]:
    """The rows of a run directory, without their seconds."""
    return no_seconds(read_metrics(path / "metrics.csv"))


def summary_of(path: Path) -> dict[str, Any]:
    """The summary.json of a run directory, read as strictly as JSON is defined."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    content = json.loads((path / "summary.json").read_text("utf-8"), parse_constant=refuse)
    assert isinstance(content, dict)
    return content


def final_arrays(path: Path, seeds: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Every array of each seed's newest checkpoint: variables and random stream."""
    arrays = {}
    for seed in seeds:
        checkpoint = checkpoints.newest(path / "checkpoint", seed).checkpoint
        assert checkpoint is not None, f"no checkpoint of seed {seed} in {path}"
        arrays[f"{seed}/stream"] = np.append(checkpoint.stream.keys, checkpoint.stream.place)
        arrays |= {f"{seed}/{name}": value for name, value in checkpoint.variables.items()}
    return arrays


def assert_same_end(path: Path, undisturbed: Path, seeds: Sequence[int]) -> None:
    """Both runs ended with the same metrics.csv (without seconds) and bit-identical checkpoints."""
    assert metrics_of(path) == metrics_of(undisturbed)
    ours, theirs = final_arrays(path, seeds), final_arrays(undisturbed, seeds)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    assert summary_of(path)["status"] == summary_of(undisturbed)["status"] == "complete"


def shown_by_tensorboard(events: Path, tag: str = "loss/train") -> list[tuple[int, float]]:
    """The curve under one tag of a folder of events, as (updates, value)."""
    accumulator = EventAccumulator(str(events))
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def command(*arguments: str | Path) -> list[str]:
    """A command line of run.py."""
    return [sys.executable, str(ROOT / "run.py"), *map(str, arguments)]


def run_command(
    arguments: Sequence[str | Path], cwd: Path
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run run.py to its end, in its own process."""
    return subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT
    )


# run.py in a process that sends itself a signal when it is about to see its n-th write to the
# disk: a moment that can be chosen, and a signal that is real.
SIGNAL_AT_FSYNC = """
import os, sys
number, left = int(sys.argv[1]), int(sys.argv[2])
fsync = os.fsync
def counted(descriptor):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), number)
    fsync(descriptor)
os.fsync = counted
import run
sys.exit(run.main(sys.argv[3:]))
"""


def start_with_signal(
    number: signal.Signals, at_fsync: int, arguments: Sequence[str | Path], cwd: Path
) -> subprocess.Popen[str]:
    """Start run.py; it sends itself signal `number` at its write number `at_fsync`, from 1."""
    driver = [sys.executable, "-c", SIGNAL_AT_FSYNC, str(int(number)), str(at_fsync)]
    return subprocess.Popen(
        [*driver, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return as soon as the condition holds; fail if the process ends before that."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert process.poll() is None, f"ended early: {process.communicate()}"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)  # files give no event that Python could wait for


def count_lines(path: Path) -> int:
    """Number of whole lines of a file; 0 if it does not exist."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture(autouse=True, scope="session")
def _signals_are_not_ignored() -> None:
    """Tests stop runs by signals, which `nohup make test` and background jobs would ignore."""
    for number, usual in (
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture
def only_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the picture and the probe, which take longer than training this little."""
    monkeypatch.setattr(runner, "save_learning_curves", lambda *_: None)
    monkeypatch.setattr(runner, "evaluate_seeds", lambda *_: {})


def unaligned(array: NDArray[Any]) -> NDArray[Any]:
    """A copy whose memory begins at an odd place."""
    copy = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class LoadedCheckpoints:
    """The most checkpoints in memory when another one is loaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._load = checkpoints.load
        self._alive: list[weakref.ref[Any]] = []
        monkeypatch.setattr(checkpoints, "load", self._counted)

    def _counted(self, path: Path) -> checkpoints.Checkpoint:
        self.most = max(self.most, sum(array() is not None for array in self._alive))
        loaded = self._load(path)
        # An aligned array may live on as the value of its variable; TensorFlow copies the others.
        variables = {name: unaligned(value) for name, value in loaded.variables.items()}
        self._alive.append(weakref.ref(next(iter(variables.values()))))
        return loaded._replace(variables=variables)


@pytest.fixture
def known_cells() -> Iterator[None]:
    """Forget the cells that a test registers."""
    known = dict(CELLS)
    yield
    CELLS.clear()
    CELLS.update(known)


class StopAtSave:
    """Ask training to stop, as Ctrl-C does, at its n-th checkpoint from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left = -1
        self._save = checkpoints.save
        monkeypatch.setattr(checkpoints, "save", self._counted)

    def arm(self, number: int) -> None:
        self._left = number

    def _counted(self, directory: Path, checkpoint: checkpoints.Checkpoint) -> None:
        self._save(directory, checkpoint)
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def loaded_checkpoints(monkeypatch: pytest.MonkeyPatch) -> LoadedCheckpoints:
    """Counts how many checkpoints are in memory at a time."""
    return LoadedCheckpoints(monkeypatch)


@pytest.fixture
def stop_at_save(monkeypatch: pytest.MonkeyPatch) -> StopAtSave:
    """A switch that interrupts a run in this process."""
    return StopAtSave(monkeypatch)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system of its own; call with its size, again to change the size."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size: str) -> Path:
        options = f"size={size}" + (",remount" if place.is_mount() else "")
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
            capture_output=True,
            text=True,
        )
        if mounted.returncode:
            pytest.skip(f"cannot mount a small disk here: {mounted.stderr.strip()}")
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", "--lazy", str(place)], check=True)
