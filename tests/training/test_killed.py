"""`run.py train` in processes that are killed, interrupted, or started twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from experiments.training import runner
from tests.conftest import (
    ROOT,
    SMALL,
    assert_same_end,
    command,
    count_lines,
    metrics_of,
    run_command,
    shown_by_tensorboard,
    small_config,
    start_with_signal,
    summary_of,
    wait_until,
)

OVERRIDES = ("training.seeds=2",)
SEEDS = [0, 1]
TRAIN = ("train", "r2rt_n5", *SMALL, *OVERRIDES, "--run-dir", "run")
LONG = (*OVERRIDES, "training.epochs=6")  # 24 rows of metrics


pytestmark = pytest.mark.usefixtures("only_training")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of an undisturbed run."""
    path = tmp_path_factory.mktemp("undisturbed")
    runner.train(small_config(*OVERRIDES), path)
    return path


@pytest.fixture(scope="module")
def long_undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a longer run, which leaves time to kill it."""
    path = tmp_path_factory.mktemp("undisturbed")
    runner.train(small_config(*LONG), path)
    return path


def finish_here(path: Path, overrides: Sequence[str] = OVERRIDES) -> None:
    """Resume the run in this process: cheaper than in another process, with the same result."""
    runner.train(small_config(*overrides), path)


def test_killed_at_several_moments_a_run_ends_as_if_it_had_not_been(
    tmp_path: Path, long_undisturbed: Path
) -> None:
    train = ("train", "r2rt_n5", *SMALL, *LONG, "--run-dir", "run")
    metrics = tmp_path / "run" / "metrics.csv"
    for rows in (2, 11):
        with subprocess.Popen(
            command(*train), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_until(lambda rows=rows: count_lines(metrics) > rows, process)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    done = run_command(train, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resuming at update" in done.stdout
    assert_same_end(tmp_path / "run", long_undisturbed, SEEDS)


def test_a_run_of_slow_updates_is_saved_and_stops_within_seconds(tmp_path: Path) -> None:
    """500 of these updates, the most in one session.run, take one or two minutes."""
    slow = ("model.state_size=800", "graph.num_steps=20", "task.size=2000000", "execution.xla=off")
    kept = ("logging.checkpoint_seconds=1", "logging.tensorboard=false", "--run-dir", "run")
    with subprocess.Popen(
        command("train", "r2rt_n5", *slow, *kept), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: any((tmp_path / "run" / "checkpoint").rglob("*.npz")), process)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert "stopped at seed 0, update" in errors
    assert summary_of(tmp_path / "run")["status"] == "interrupted"


# Writes seen to the disk: config.yaml, summary.json, metrics.csv as it starts, then by turns
# rows and checkpoints.
@pytest.mark.parametrize(
    "at_fsync", [1, 2, 4, 5, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 6, 7, 50, 84))]
)
def test_killed_in_the_middle_of_a_write_a_run_ends_as_if_it_had_not_been(
    tmp_path: Path, undisturbed: Path, at_fsync: int
) -> None:
    process = start_with_signal(signal.SIGKILL, at_fsync, TRAIN, tmp_path)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    finish_here(tmp_path / "run")
    assert_same_end(tmp_path / "run", undisturbed, SEEDS)


def test_killed_before_the_events_are_closed_they_hold_every_row_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for at_fsync in (12, 30):
        process = start_with_signal(signal.SIGKILL, at_fsync, TRAIN, tmp_path)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert_events_hold_the_rows(run, SEEDS[:1])  # flushed, with no command after the kill
    finish_here(run)
    assert_events_hold_the_rows(run, SEEDS)


def assert_events_hold_the_rows(run: Path, seeds: Sequence[int]) -> None:
    """TensorBoard shows each row of metrics.csv once, in order."""
    for seed in seeds:
        rows = [row for row in metrics_of(run) if row.seed == seed]
        shown = shown_by_tensorboard(run / "events" / f"seed-{seed}")
        assert [step for step, _ in shown] == [row.updates for row in rows]
        assert [loss for _, loss in shown] == pytest.approx([row.loss for row in rows])


@pytest.mark.slow
def test_killed_40_times_at_random_moments_runs_end_as_if_they_had_not_been(
    tmp_path: Path, long_undisturbed: Path
) -> None:
    train = ("train", "r2rt_n5", *SMALL, *LONG, "--run-dir")
    moments = random.Random(40)
    kills, number = 0, 0
    while kills < 40:
        process = subprocess.Popen(
            command(*train, str(number)),
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            process.wait(timeout=moments.uniform(0.2, 7))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        errors = process.communicate()[1]
        assert process.returncode in (0, -signal.SIGKILL), errors
        if process.returncode == 0:
            assert_same_end(tmp_path / str(number), long_undisturbed, SEEDS)
            number += 1
    finish_here(tmp_path / str(number), LONG)
    assert_same_end(tmp_path / str(number), long_undisturbed, SEEDS)


class TestCtrlC:
    @pytest.fixture(scope="class")
    @classmethod
    def interrupted(
        cls, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Path, subprocess.CompletedProcess[str]]:
        """A run that gets Ctrl-C in its first seed: its directory's parent, and how it ended."""
        folder = tmp_path_factory.mktemp("interrupted")
        process = start_with_signal(signal.SIGINT, 20, TRAIN, folder)
        out, err = process.communicate()
        return folder, subprocess.CompletedProcess(TRAIN, process.returncode, out, err)

    def test_it_exits_130(self, interrupted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
        assert interrupted[1].returncode == 130

    def test_it_says_how_to_go_on_in_one_line(
        self, interrupted: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        (line,) = interrupted[1].stderr.splitlines()
        assert line.startswith("error: run: stopped at seed 0, update ")
        assert line.endswith("; rerun the command to resume")

    def test_the_summary_says_interrupted(
        self, interrupted: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        assert summary_of(interrupted[0] / "run")["status"] == "interrupted"

    def test_it_goes_on_as_if_it_had_not_stopped(
        self, interrupted: tuple[Path, subprocess.CompletedProcess[str]], undisturbed: Path
    ) -> None:
        finish_here(interrupted[0] / "run")
        assert_same_end(interrupted[0] / "run", undisturbed, SEEDS)


# run.py in a process that gets two signals while TensorFlow is imported. An extension module turns
# the KeyboardInterrupt into an ImportError.
SIGNALS_AT_IMPORT = """
import os, sys
number = int(sys.argv[1])
def when_imported(event, arguments):
    if event == "import" and arguments[0] == "tensorflow":
        os.kill(os.getpid(), number)
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error
sys.addaudithook(when_imported)
import run
sys.exit(run.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_while_tensorflow_is_imported_interrupts_the_run(
    number: signal.Signals, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS_AT_IMPORT, str(int(number)), *TRAIN],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 130
    assert done.stderr == "error: run: stopped; rerun the command to resume\n"
    summary = summary_of(tmp_path / "run")
    assert (summary["status"], summary["reason"]) == ("interrupted", "stopped")


class TestStartedTwice:
    @pytest.fixture
    def first(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        """A run that holds still in the middle of training."""
        process = start_with_signal(signal.SIGSTOP, 40, TRAIN, tmp_path)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
        process.kill()
        process.communicate()

    def test_the_second_is_told_and_the_first_goes_on(
        self, first: subprocess.Popen[str], tmp_path: Path, undisturbed: Path
    ) -> None:
        for arguments in (TRAIN, (*TRAIN, "--overwrite")):
            second = run_command(arguments, tmp_path)
            assert second.returncode == 2
            assert second.stderr == (
                f"error: run: in use by another run (process {first.pid})\n"
            )  # fmt: skip
        assert metrics_of(tmp_path / "run")
        first.send_signal(signal.SIGCONT)
        _, errors = first.communicate()
        assert first.returncode == 0, errors
        assert_same_end(tmp_path / "run", undisturbed, SEEDS)
