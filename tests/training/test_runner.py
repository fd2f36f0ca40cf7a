"""experiments/training/runner.py: runs from config to a complete run directory, in this process."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.schema import Config
from experiments.errors import Interrupted, RunError, UsageError
from experiments.runs import checkpoints, provenance
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.directory import RunDirectory
from experiments.runs.lock import locked
from experiments.runs.metrics import MetricsRow
from experiments.training import final_evaluation, runner
from experiments.training.seed import SeedTraining
from experiments.training.session import TrainingSession, build
from experiments.training.tensorboard import Events
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf
from tests.conftest import (
    StopAtSave,
    assert_same_end,
    final_arrays,
    metrics_of,
    shown_by_tensorboard,
    small_config,
    summary_of,
)
from tests.data.test_binary_dependency import blog_gen_data
from tests.numpy_reference import Updater, Weights, train_step

CONFIG = small_config("training.seeds=2")  # 2 seeds of 400 updates, 40 checkpoints each
SEEDS = list(CONFIG.seeds)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of an undisturbed run."""
    path = tmp_path_factory.mktemp("undisturbed")
    runner.train(CONFIG, path)
    return path


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return Path(shutil.copytree(undisturbed, tmp_path / "finished"))


def stop(config: Config, path: Path, stop_at_save: StopAtSave, number: int) -> None:
    """Train until the n-th checkpoint, and interrupt."""
    stop_at_save.arm(number)
    with pytest.raises(Interrupted):
        runner.train(config, path)


def test_a_picture_that_cannot_be_drawn_is_one_line_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("no font")

    monkeypatch.setattr("experiments.reporting.pictures.render", broken)
    runner.train(small_config("training.epochs=1", "logging.tensorboard=false"), tmp_path)
    assert summary_of(tmp_path)["status"] == "complete"
    line = f"{tmp_path / 'learning_curve.png'}: cannot be drawn: RuntimeError: no font"
    assert line in capsys.readouterr().out.splitlines()


class TestWhatARunLeaves:
    def test_all_the_files_of_the_contract(self, undisturbed: Path) -> None:
        names = {path.name for path in undisturbed.iterdir()} - {".lock"}
        assert names == {
            "config.yaml", "metrics.csv", "summary.json", "learning_curve.png", "events",
            "checkpoint", "log.txt",
        }  # fmt: skip

    def test_a_row_for_each_100_updates_of_each_seed(self, undisturbed: Path) -> None:
        rows = metrics_of(undisturbed)
        assert [(row.seed, row.epoch, row.updates) for row in rows] == [
            (seed, epoch, updates)
            for seed in SEEDS
            for epoch, updates in [(1, 100), (1, 200), (2, 300), (2, 400)]
        ]
        assert {row.split for row in rows} == {"train"}

    def test_time_steps_are_symbols(self, undisturbed: Path) -> None:
        per_update = CONFIG.graph.batch_size * CONFIG.graph.num_steps
        assert all(row.time_steps == row.updates * per_update for row in metrics_of(undisturbed))

    def test_the_summary_says_what_it_came_to(self, undisturbed: Path) -> None:
        summary = summary_of(undisturbed)
        assert summary["status"] == "complete"
        assert summary["name"] == CONFIG.name
        final = summary["final_loss"]
        assert final["updates"] == {"0": 40, "1": 40}
        assert final["mean"] == pytest.approx(np.mean(list(final["per_seed"].values())))
        assert final["low"] < final["mean"] < final["high"]
        assert summary["seeds"] == {"0": "complete", "1": "complete"}
        assert summary["updates"] == {"0": 400, "1": 400}
        assert summary["seconds"] > 0

    def test_the_summary_holds_the_floors_and_on_what_it_ran(self, undisturbed: Path) -> None:
        summary = summary_of(undisturbed)
        assert summary["floors"]["none"] == pytest.approx(0.661563238158, abs=1e-11)
        assert summary["versions"]["tensorflow"] == tf.__version__
        assert {"git_commit", "host", "xla"} <= summary.keys()

    def test_the_probe_has_each_seeds_answers(self, undisturbed: Path) -> None:
        probes = summary_of(undisturbed)["probe"]
        assert [probe["seed"] for probe in probes] == SEEDS
        for probe in probes:
            assert [effect["lag"] for effect in probe["effects"]] == [3, 8]
            assert [one["inputs"] for one in probe["combinations"]] == [
                [0, 0], [0, 1], [1, 0], [1, 1],
            ]  # fmt: skip

    def test_the_blogs_model_learns_lag_3_and_not_lag_8(self, undisturbed: Path) -> None:
        probes = summary_of(undisturbed)["probe"]
        learned = [[effect["learned"] for effect in probe["effects"]] for probe in probes]
        assert learned == [[True, False]] * len(SEEDS)

    def test_the_curve_is_a_picture(self, undisturbed: Path) -> None:
        content = (undisturbed / "learning_curve.png").read_bytes()
        assert content.startswith(b"\x89PNG\r\n")
        assert len(content) > 10_000

    def test_tensorboard_shows_the_rows(self, undisturbed: Path) -> None:
        for seed in SEEDS:
            shown = shown_by_tensorboard(undisturbed / "events" / f"seed-{seed}")
            rows = [row for row in metrics_of(undisturbed) if row.seed == seed]
            np.testing.assert_allclose(shown, [(row.updates, row.loss) for row in rows], rtol=1e-6)

    def test_the_log_tells_of_every_seed(self, undisturbed: Path) -> None:
        log = (undisturbed / "log.txt").read_text()
        assert all(f"seed {seed}: complete at update 400" in log for seed in SEEDS)

    def test_the_same_run_again_gives_the_same(self, undisturbed: Path, tmp_path: Path) -> None:
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)


def test_a_run_is_the_blogs_training_loop(tmp_path: Path) -> None:
    """New data each epoch, a state of zeros at its start and carried within it."""
    config = small_config("task.size=2000", "graph.precision=float64", "logging.every=1")
    batch_size, num_steps = config.graph.batch_size, config.graph.num_steps
    runner.train(config, tmp_path)
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        weights = Weights(*list(session.variables().values())[:4])
    updaters = [Updater("adagrad", learning_rate=0.1, initial_accumulator=0.1) for _ in weights]
    np.random.seed(0)
    losses = []
    for _ in range(config.training.epochs):
        X, Y = (array.reshape(batch_size, -1).T for array in blog_gen_data(2000))
        state = np.zeros([batch_size, *config.model.state_sizes])
        for start in range(0, len(X), num_steps):
            window = slice(start, start + num_steps)
            step = train_step(weights, X[window], Y[window], state)
            losses.append(step.loss)
            state = step.final_state
            parts = zip(updaters, weights, step.gradients, strict=True)
            weights = Weights(*[update(value, gradient) for update, value, gradient in parts])
    rows = metrics_of(tmp_path)
    np.testing.assert_allclose([row.loss for row in rows], losses, rtol=0, atol=1e-9)


@pytest.mark.usefixtures("only_training")
class TestRows:
    @pytest.fixture(scope="class")
    @classmethod
    def each_update(cls, tmp_path_factory: pytest.TempPathFactory) -> list[MetricsRow]:
        path = tmp_path_factory.mktemp("each")
        runner.train(small_config("logging.every=1", "training.epochs=1"), path)
        return metrics_of(path)

    @pytest.mark.parametrize("every", [7, 100, 150, 1000])
    def test_a_row_is_the_mean_since_the_row_before(
        self, each_update: list[MetricsRow], every: int, tmp_path: Path
    ) -> None:
        runner.train(small_config(f"logging.every={every}", "training.epochs=1"), tmp_path)
        losses = [row.loss for row in each_update]
        ends = [*range(every, 200, every), 200]  # what is left at the end has a row too
        rows = metrics_of(tmp_path)
        assert [row.updates for row in rows] == ends
        for row, start in zip(rows, [0, *ends], strict=False):
            assert row.loss == pytest.approx(np.mean(losses[start : row.updates]), rel=1e-9)

    @pytest.mark.parametrize("every", [7, 150, 1000])
    def test_the_final_loss_is_of_the_last_tenth_whatever_is_logged(
        self, each_update: list[MetricsRow], every: int, tmp_path: Path
    ) -> None:
        runner.train(small_config(f"logging.every={every}", "training.epochs=1"), tmp_path)
        final = summary_of(tmp_path)["final_loss"]
        assert final["per_seed"]["0"] == pytest.approx(
            np.mean([row.loss for row in each_update[180:]]), rel=1e-9
        )
        assert final["updates"] == {"0": 20}

    def test_a_mean_may_span_two_epochs(self, tmp_path: Path) -> None:
        runner.train(small_config("logging.every=150"), tmp_path)
        assert [(row.epoch, row.updates) for row in metrics_of(tmp_path)] == [
            (1, 150), (2, 300), (2, 400),
        ]  # fmt: skip


@pytest.mark.usefixtures("only_training")
@pytest.mark.parametrize(
    "override",
    ["execution.iterations_per_loop=1", "execution.iterations_per_loop=37",
     "execution.iterations_per_loop=1000", "logging.checkpoint_seconds=1000",
     "logging.tensorboard=false", "execution.threads=2"],
)  # fmt: skip
def test_how_a_run_is_executed_does_not_change_its_losses(
    undisturbed: Path, tmp_path: Path, override: str
) -> None:
    runner.train(small_config(override), tmp_path)
    expected = [row for row in metrics_of(undisturbed) if row.seed == 0]
    assert metrics_of(tmp_path) == expected


@pytest.mark.usefixtures("only_training")
@pytest.mark.parametrize("override", ["execution.loop=per_step", "execution.xla=on"])
def test_another_loop_or_compiler_changes_no_more_than_rounding(
    undisturbed: Path, tmp_path: Path, override: str
) -> None:
    runner.train(small_config(override, "training.epochs=1"), tmp_path)
    ours = [row.loss for row in metrics_of(tmp_path)]
    theirs = [row.loss for row in metrics_of(undisturbed)[:2]]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.usefixtures("only_training")
def test_a_seed_does_not_depend_on_the_seeds_before_it(undisturbed: Path, tmp_path: Path) -> None:
    runner.train(small_config("training.first_seed=1"), tmp_path)
    assert metrics_of(tmp_path) == [row for row in metrics_of(undisturbed) if row.seed == 1]
    ours, theirs = final_arrays(tmp_path, [1]), final_arrays(undisturbed, [1])
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


class TestAgain:
    def test_a_complete_run_is_told_and_left(
        self, finished: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = {p: p.read_bytes() for p in finished.rglob("*") if p.suffix in (".csv", ".json")}
        runner.train(CONFIG, finished)
        assert f"{finished}: already complete; --overwrite runs it again" in capsys.readouterr().out
        assert all(path.read_bytes() == content for path, content in before.items())

    def test_overwrite_runs_it_again(self, finished: Path, undisturbed: Path) -> None:
        (finished / "metrics.csv").write_text("broken")
        runner.train(CONFIG, finished, overwrite=True)
        assert_same_end(finished, undisturbed, SEEDS)

    def test_another_config_is_refused(self, finished: Path) -> None:
        with pytest.raises(UsageError, match=r"training\.seeds = 2, this one has 1"):
            runner.train(small_config(), finished)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_run_under_way_is_not_touched(self, finished: Path, overwrite: bool) -> None:
        with locked(finished), pytest.raises(UsageError, match="in use by another run"):
            runner.train(CONFIG, finished, overwrite)
        assert summary_of(finished)["status"] == "complete"
        assert len(metrics_of(finished)) == 8


@pytest.mark.usefixtures("only_training")
class TestInterrupted:
    @pytest.mark.parametrize("number", [1, 20, 39, 40, 79])
    def test_it_resumes_as_if_it_had_not_stopped(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave, number: int
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, number)
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_it_may_be_interrupted_again_and_again(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave
    ) -> None:
        for number in (3, 9, 27):
            stop(CONFIG, tmp_path, stop_at_save, number)
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_it_logs_where_it_resumes(
        self, tmp_path: Path, stop_at_save: StopAtSave, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 5)
        runner.train(CONFIG, tmp_path)
        # The first session.run of a seed makes one update, the others ten.
        assert "seed 0: resuming at update 40" in capsys.readouterr().out

    def test_the_summary_says_so(self, tmp_path: Path, stop_at_save: StopAtSave) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 50)
        summary = summary_of(tmp_path)
        assert summary["status"] == "interrupted"
        assert summary["seeds"] == {"0": "complete"}

    def test_tensorboard_shows_each_row_once(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 19)  # at update 200, where a row ends
        runner.train(CONFIG, tmp_path)
        shown = shown_by_tensorboard(tmp_path / "events" / "seed-0")
        assert [step for step, _ in shown] == [100, 200, 300, 400]

    def test_an_interrupt_before_the_first_update_keeps_the_run(
        self, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> Checkpoint:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(SeedTraining, "start", interrupted)
            with pytest.raises(Interrupted, match="rerun the command to resume"):
                runner.train(CONFIG, tmp_path)
        assert summary_of(tmp_path)["status"] == "interrupted"
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_sigterm_is_as_good_as_ctrl_c(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save = checkpoints.save

        def save_and_terminate(directory: Path, checkpoint: Checkpoint) -> None:
            save(directory, checkpoint)
            if checkpoint.position.updates == 50:
                signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(checkpoints, "save", save_and_terminate)
        with pytest.raises(Interrupted):
            runner.train(CONFIG, tmp_path)
        assert summary_of(tmp_path)["status"] == "interrupted"


@pytest.mark.usefixtures("only_training")
class TestDamagedCheckpoints:
    @pytest.fixture
    def stopped(self, tmp_path: Path, stop_at_save: StopAtSave) -> Path:
        """A run that stopped in its second seed, with two checkpoints to resume from."""
        path = tmp_path / "stopped"
        stop(CONFIG, path, stop_at_save, 60)
        assert len(list((path / "checkpoint" / "seed-1").iterdir())) == 2
        return path

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
    def test_the_one_before_takes_over_and_the_end_is_the_same(
        self, stopped: Path, undisturbed: Path, damage: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        newest = max((stopped / "checkpoint" / "seed-1").iterdir())
        content = newest.read_bytes()
        middle = len(content) // 2
        flipped = bytearray(content)
        flipped[middle] ^= 1
        damaged = {"truncated": content[:middle], "flipped": bytes(flipped), "empty": b""}
        newest.write_bytes(damaged[damage])
        earlier = int(newest.stem) - 10
        runner.train(CONFIG, stopped)
        told = capsys.readouterr().out
        assert f"checkpoint {newest}: cannot be used; falling back to update {earlier}" in told
        assert f"seed 1: resuming at update {earlier}" in told
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_with_all_of_them_damaged_the_seed_starts_again(
        self, stopped: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in (stopped / "checkpoint" / "seed-1").iterdir():
            path.write_bytes(path.read_bytes()[:-100])
        runner.train(CONFIG, stopped)
        assert capsys.readouterr().out.count("falling back to the start of the seed") == 2
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_with_a_finished_seeds_damaged_it_is_finished_again(
        self, stopped: Path, undisturbed: Path
    ) -> None:
        newest = max((stopped / "checkpoint" / "seed-0").iterdir())
        newest.write_bytes(b"")
        runner.train(CONFIG, stopped)
        assert_same_end(stopped, undisturbed, SEEDS)


def contents(directory: Path) -> dict[Path, bytes]:
    """Of every file but the log."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != "log.txt")
    return {path: path.read_bytes() for path in files}


@pytest.mark.usefixtures("only_training")
class TestChangedByHand:
    @pytest.fixture
    def stopped(self, tmp_path: Path, stop_at_save: StopAtSave) -> Path:
        """A run that stopped in its second seed."""
        path = tmp_path / "stopped"
        stop(CONFIG, path, stop_at_save, 60)
        return path

    @pytest.mark.parametrize("how", ["carriage returns", "gone", "another number"])
    def test_rows_that_were_changed_stop_it_before_anything_is_lost(
        self, stopped: Path, undisturbed: Path, how: str
    ) -> None:
        metrics, summary = stopped / "metrics.csv", stopped / "summary.json"
        rows = metrics.read_bytes()
        metrics.write_bytes(
            rows.replace(b"\n", b"\r\n" if how == "carriage returns" else b"1\n", 2)
        )
        if how == "gone":  # half a copy
            metrics.unlink()
            summary.unlink()
        kept = contents(stopped)
        with pytest.raises(UsageError, match=r"metrics\.csv"):
            runner.train(CONFIG, stopped)
        assert contents(stopped) == kept
        metrics.write_bytes(rows)
        runner.train(CONFIG, stopped)
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_a_lost_summary_costs_nothing(self, finished: Path, undisturbed: Path) -> None:
        (finished / "summary.json").write_bytes(b"")
        rows = (finished / "metrics.csv").read_bytes()
        runner.train(CONFIG, finished)
        assert (finished / "metrics.csv").read_bytes() == rows
        assert_same_end(finished, undisturbed, SEEDS)

    def test_a_lost_checkpoint_costs_its_seed_alone(
        self, finished: Path, undisturbed: Path
    ) -> None:  # fmt: skip
        shutil.rmtree(finished / "checkpoint" / "seed-0")
        (finished / "summary.json").unlink()
        others = (finished / "metrics.csv").read_text().splitlines()[5:]
        assert all(line.startswith("1,") for line in others)
        runner.train(CONFIG, finished)
        assert (finished / "metrics.csv").read_text().splitlines()[5:] == others
        assert_same_end(finished, undisturbed, SEEDS)

    def test_a_checkpoint_of_another_type_is_named(self, stopped: Path) -> None:
        newest = max((stopped / "checkpoint" / "seed-1").iterdir())
        found = checkpoints.load(newest)
        variables = {name: value.astype(complex) for name, value in found.variables.items()}
        checkpoints.save(stopped / "checkpoint", found._replace(variables=variables))
        with pytest.raises(RunError, match=rf"{newest}: .*found complex128 .*; move it away"):
            runner.train(CONFIG, stopped)


@pytest.mark.usefixtures("only_training")
def test_rows_are_seen_to_the_disk_before_a_checkpoint_and_not_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        written.append("rows" if name.endswith("/metrics.csv") else Path(name).suffix)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    config = small_config("logging.checkpoint_seconds=1000", "training.seeds=2")
    runner.train(config, tmp_path)  # four rows a seed
    trained = written[written.index("rows") : -1]
    assert trained == ["rows", ".npz"] * 2


@pytest.mark.usefixtures("only_training")
def test_at_most_a_tenth_of_the_time_goes_into_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, saved = [0.0], []
    train, save = TrainingSession.train, checkpoints.save

    def one_second(self: TrainingSession, *arguments: Any) -> dict[str, NDArray[Any]]:
        clock[0] += 1
        return train(self, *arguments)

    def three_seconds(directory: Path, checkpoint: Checkpoint) -> None:
        clock[0] += 3
        saved.append(clock[0])
        save(directory, checkpoint)

    monkeypatch.setattr(TrainingSession, "train", one_second)
    monkeypatch.setattr(checkpoints, "save", three_seconds)
    fake = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("experiments.training.seed.time", fake)
    runner.train(small_config("logging.checkpoint_seconds=10"), tmp_path)
    assert saved[:2] == [10 + 3, 13 + 30 + 3]


class TestDiverged:
    # Adagrad would divide so large a step away; plain gradient descent does not.
    OVERRIDES = ("optimizer.kind=sgd", "optimizer.learning_rate=1e38", "training.seeds=2")

    @pytest.fixture(scope="class")
    @classmethod
    def diverged(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("diverged")
        with pytest.raises(RunError, match="the loss or a weight was not finite for seed 0, 1"):
            runner.train(small_config(*cls.OVERRIDES), path)
        return path

    def test_the_summary_says_so_for_each_seed(self, diverged: Path) -> None:
        summary = summary_of(diverged)
        assert summary["status"] == "diverged"
        assert summary["seeds"] == {"0": "diverged", "1": "diverged"}

    def test_what_there_is_is_kept(self, diverged: Path) -> None:
        rows = metrics_of(diverged)
        assert [row.seed for row in rows] == [0, 1]
        assert all(np.isfinite(row.loss) and row.updates < 400 for row in rows)
        assert (diverged / "learning_curve.png").exists()

    def test_the_updates_are_those_with_a_finite_loss(self, diverged: Path) -> None:
        updates = {str(row.seed): row.updates for row in metrics_of(diverged)}
        assert summary_of(diverged)["updates"] == updates

    def test_the_same_command_says_so_again(
        self, diverged: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(RunError, match="not finite"):
            runner.train(small_config(*self.OVERRIDES), diverged)
        assert "already diverged" in capsys.readouterr().out

    def test_a_seed_that_diverges_does_not_stop_the_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Path
    ) -> None:
        train = SeedTraining.start

        def start(self: SeedTraining, seed: int) -> Checkpoint:
            checkpoint = train(self, seed)
            if seed == 0:
                variables = self._session.variables()
                name = "model/softmax/W"
                self._session.restore(variables | {name: np.full([4, 2], np.nan, np.float32)})
            return checkpoint

        monkeypatch.setattr(SeedTraining, "start", start)
        with pytest.raises(RunError, match="not finite for seed 0"):
            runner.train(CONFIG, tmp_path)
        summary = summary_of(tmp_path)
        assert summary["seeds"] == {"0": "diverged", "1": "complete"}
        assert [probe["seed"] for probe in summary["probe"]] == [1]
        assert metrics_of(tmp_path) == [row for row in metrics_of(undisturbed) if row.seed == 1]

    def test_means_are_over_the_complete_seeds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        train = TrainingSession.train
        calls = itertools.count()

        def breaks(self: TrainingSession, *arguments: Any) -> dict[str, NDArray[Any]]:
            measured = train(self, *arguments)
            if next(calls) == 30:  # of the first of three seeds, which has a row by then
                measured["loss"][:] = np.nan
            return measured

        monkeypatch.setattr(TrainingSession, "train", breaks)
        config = small_config("training.seeds=3")
        with pytest.raises(RunError, match=r"not finite for seed 0$"):
            runner.train(config, tmp_path)
        final = summary_of(tmp_path)["final_loss"]
        assert list(final["per_seed"]) == ["0", "1", "2"]
        assert final["mean"] == pytest.approx((final["per_seed"]["1"] + final["per_seed"]["2"]) / 2)
        assert f"{final['high']:.4f} over 2 seeds" in capsys.readouterr().out

    def test_a_run_without_a_single_row_still_ends_as_diverged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start = SeedTraining.start

        def broken(self: SeedTraining, seed: int) -> Checkpoint:
            checkpoint = start(self, seed)
            variables = self._session.variables()
            self._session.restore(
                variables | {"model/softmax/W": np.full([4, 2], np.nan, np.float32)}
            )
            return checkpoint

        monkeypatch.setattr(SeedTraining, "start", broken)
        with pytest.raises(RunError, match="not finite"):
            runner.train(small_config(), tmp_path)
        assert summary_of(tmp_path)["status"] == "diverged"
        assert metrics_of(tmp_path) == []


def test_rows_shorter_than_a_lag_end_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.train(small_config("graph.batch_size=4000", "graph.num_steps=5"), tmp_path)
    assert summary_of(tmp_path)["status"] == "complete"
    assert "lag 8: rows too short to tell" in capsys.readouterr().out


def test_an_unforeseen_error_is_noted_and_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Checkpoint:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(SeedTraining, "start", broken)
    with pytest.raises(ZeroDivisionError):
        runner.train(small_config(), tmp_path)
    summary = summary_of(tmp_path)
    assert summary["status"] == "failed"
    assert summary["reason"] == "ZeroDivisionError: of all things"


@pytest.mark.usefixtures("only_training")
def test_events_are_closed_when_a_run_stops(
    tmp_path: Path, stop_at_save: StopAtSave, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close = Events.close

    def counted(events: Events) -> None:
        closed.append(events)
        close(events)

    monkeypatch.setattr(Events, "close", counted)
    stop(CONFIG, tmp_path, stop_at_save, 3)
    assert len(closed) == 1


def test_the_default_directory_is_named_after_experiment_and_overrides() -> None:
    assert runner.default_directory(CONFIG, []) == Path("runs/r2rt_n5/default")
    overrides = ["training.seeds=2", "graph.num_steps=7"]
    expected = Path("runs/r2rt_n5/graph.num_steps=7,training.seeds=2")
    assert runner.default_directory(small_config(*overrides), overrides) == expected


def test_code_that_is_edited_while_the_run_trains_is_not_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "code.py"
    source.write_text("x = 1\n", "utf-8")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setattr(provenance, "_sources", lambda _folders: iter([source]))

    def edit_and_evaluate(*arguments: Any) -> dict[str, Any]:
        source.write_text("x = 2\n", "utf-8")
        return final_evaluation.evaluate_seeds(*arguments)

    monkeypatch.setattr(runner, "evaluate_seeds", edit_and_evaluate)
    provenance.code_digest.cache_clear()
    try:
        found = runner.train(small_config(), tmp_path / "run")["code"]
        provenance.code_digest.cache_clear()
        edited = provenance.code_digest()
        source.write_text("x = 1  # as before\n", "utf-8")
        provenance.code_digest.cache_clear()
        assert found == provenance.code_digest() != edited
        # A run that continues under other code keeps the digest that it began with.
        summary = summary_of(tmp_path / "run") | {"status": "interrupted"}
        RunDirectory(tmp_path / "run").write_summary(summary)
        source.write_text("x = 3\n", "utf-8")
        provenance.code_digest.cache_clear()
        assert runner.train(small_config(), tmp_path / "run")["code"] == found
    finally:
        provenance.code_digest.cache_clear()
