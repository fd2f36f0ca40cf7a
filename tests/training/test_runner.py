"""experiments/training/runner.py: runs from config to a complete run directory, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.errors import UsageError
from experiments.runs import provenance
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.directory import RunDirectory
from experiments.runs.lock import locked
from experiments.training import final_evaluation, runner
from experiments.training.seed import SeedTraining
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf
from tests.conftest import (
    assert_same_end,
    final_arrays,
    metrics_of,
    shown_by_tensorboard,
    small_config,
    summary_of,
)
from tests.data.test_binary_dependency import blog_gen_data
from tests.numpy_reference import Updater, Weights, train_step
from tests.training.conftest import CONFIG, SEEDS


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
