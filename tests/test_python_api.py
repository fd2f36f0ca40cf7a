"""`import experiments`: what Python users call."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import experiments
from data.batching import Rows
from experiments.errors import UsageError
from experiments.runs import checkpoints
from experiments.runs.metrics import read_metrics
from experiments.training.loop import TrainingLoop
from tests.conftest import ROOT, SMALL, final_arrays, small_config
from tests.handmade import finished_run


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a new process has imported after some code."""
    report = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", report],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


class TestImport:
    def test_it_loads_nothing_slow(self) -> None:
        slow = {"tensorflow", "pandas", "numpy", "hydra", "pydantic", "yaml", "matplotlib"}
        assert not loaded_by("import experiments") & slow

    def test_configs_and_runs_need_no_tensorflow(self) -> None:
        code = "from experiments import load_config, load_runs, train\nload_config('r2rt_n5')"
        assert "tensorflow" not in loaded_by(code)

    def test_every_name_is_there_and_on_the_page(self) -> None:
        page = (ROOT / "docs" / "python.md").read_text("utf-8")
        for name in experiments.__all__:
            assert getattr(experiments, name).__name__ == name
            assert f"`{name}" in page
            assert name in dir(experiments)

    def test_another_name_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'load_run'"):
            experiments.load_run  # noqa: B018


def test_overrides_are_a_list() -> None:
    with pytest.raises(UsageError, match=r"overrides: expected a list such as \['graph"):
        experiments.load_config("r2rt_n5", "graph.num_steps=10")


class TestTrain:
    def test_a_name_is_trained_in_the_folder_of_its_overrides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only_training: None
    ) -> None:
        monkeypatch.chdir(tmp_path)
        run = experiments.train("r2rt_n5", SMALL)
        assert run.directory.path.parent == Path("runs/r2rt_n5")
        assert run.directory.path.name.startswith("execution.iterations_per_loop=10,")
        assert (run.status, run.label) == ("complete", str(run.directory.path))
        assert run.summary == experiments.read_run(run.directory.path).summary

    def test_a_config_is_trained_once(self, tmp_path: Path, only_training: None) -> None:
        first = experiments.train(small_config(), run_dir=tmp_path / "run")
        again = experiments.train(small_config(), run_dir=str(tmp_path / "run"))
        assert again.rows == first.rows
        replaced = experiments.train(small_config(), run_dir=tmp_path / "run", overwrite=True)
        assert [row.loss for row in replaced.rows] == [row.loss for row in first.rows]

    def test_a_config_needs_a_folder_and_takes_no_overrides(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="run_dir: expected a folder"):
            experiments.train(small_config())
        with pytest.raises(UsageError, match="overrides: expected none beside a config"):
            experiments.train(small_config(), ["training.seeds=2"], run_dir=tmp_path)


class TestTrainer:
    @pytest.mark.parametrize(
        "truncation",
        [
            "{kind: tf_style}",
            "{kind: true_bptt, depth: 3, context: true}",
            "{kind: adaptive, tolerance: 1.0e+9, least: 1, most: 5}",  # the second epoch takes 1
        ],
    )
    def test_it_trains_as_a_run_does(
        self, truncation: str, tmp_path: Path, only_training: None
    ) -> None:
        """Two epochs, in pieces that end neither with an epoch nor with a session.run."""
        config = small_config(f"truncation={truncation}")
        experiments.train(config, run_dir=tmp_path)
        rows = read_metrics(tmp_path / "metrics.csv")
        updates, every = rows[-1].updates, config.logging.every
        sizes = [37] * (updates // 37) + [updates % 37]
        with experiments.Trainer(config) as trainer:
            losses = np.concatenate([trainer.update(size)["loss"] for size in sizes])
            variables = trainer.variables()
        means = [losses[first : first + every].mean() for first in range(0, updates, every)]
        assert means == pytest.approx([row.loss for row in rows], rel=1e-6)
        expected = final_arrays(tmp_path, [0])
        for name, value in variables.items():
            np.testing.assert_array_equal(value, expected[f"0/{name}"], err_msg=name)

    def test_after_ctrl_c_it_goes_on_with_the_next_update(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signal in the call that reaches the end of an epoch, when its weights have changed."""
        config = small_config()
        with experiments.Trainer(config) as trainer:
            trainer.update(250)
            expected = trainer.variables()
        train = TrainingLoop.train

        def interrupted(
            self: TrainingLoop, rows: Rows, first: int, size: int
        ) -> dict[str, NDArray[Any]]:
            measured = train(self, rows, first, size)
            if first + size == 200:
                signal.raise_signal(signal.SIGINT)
            return measured

        with experiments.Trainer(config) as trainer:
            with monkeypatch.context() as patch:
                patch.setattr(TrainingLoop, "train", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    trainer.update(220)
            trainer.update(50)
            for name, value in trainer.variables().items():
                np.testing.assert_array_equal(value, expected[name], err_msg=name)

    def test_it_goes_on_past_the_last_epoch(self) -> None:
        config = small_config("training.epochs=1")
        with experiments.Trainer(config) as trainer:
            assert trainer.update(450)["loss"].shape == (450,)

    def test_the_seed_is_the_first_of_the_config_or_the_one_given(self) -> None:
        config = small_config("training.first_seed=3")
        with experiments.Trainer(config) as first, experiments.Trainer(config, seed=4) as other:
            assert first.seed == 3
            assert not np.isclose(first.update(5)["loss"], other.update(5)["loss"]).any()

    def test_metrics_of_the_graph_come_with_the_loss(self) -> None:
        config = small_config("logging.metrics=[accuracy,gradient_norm]")
        with experiments.Trainer(config) as trainer:
            measured = trainer.update(3)
        assert {name: values.shape for name, values in measured.items()} == {
            "loss": (3,), "accuracy": (3,), "gradient_norm": (3,),
        }  # fmt: skip

    def test_a_count_below_1_is_refused(self) -> None:
        with (
            experiments.Trainer(small_config()) as trainer,
            pytest.raises(ValueError, match="count: expected 1 or more, got 0"),
        ):
            trainer.update(0)


def test_a_graph_is_built_to_be_fed() -> None:
    config = small_config()
    graph = experiments.build_graph(config)
    assert graph.graph.finalized
    time_steps = config.execution.iterations_per_loop * config.graph.num_steps
    assert graph.feeds.inputs.shape.as_list() == [time_steps, config.graph.batch_size]


class TestLoadRuns:
    def test_a_row_for_each_logged_row(self, tmp_path: Path) -> None:
        finished_run(tmp_path, "b", [[0.6, 0.5], [0.6, 0.4]], overrides=["graph.num_steps=18"])
        finished_run(tmp_path, "a", [[0.6, 0.3, 0.2]])
        runs = experiments.load_runs(tmp_path)
        assert runs["loss"].tolist() == [0.6, 0.3, 0.2, 0.6, 0.5, 0.6, 0.4]
        assert runs["graph.num_steps"].tolist() == [54] * 3 + [18] * 4
        assert runs["run_directory"].unique().tolist() == [
            str(tmp_path / "a"), str(tmp_path / "b"),
        ]  # fmt: skip
        assert runs["status"].unique().tolist() == ["complete"]
        assert runs["seed"].tolist() == [0, 0, 0, 0, 0, 1, 1]
        assert runs["updates"].tolist() == [10, 20, 30, 10, 20, 10, 20]

    def test_several_paths_and_each_run_once(self, tmp_path: Path) -> None:
        finished_run(tmp_path, "a", [[0.6]])
        finished_run(tmp_path, "b", [[0.5]])
        runs = experiments.load_runs(str(tmp_path / "b"), tmp_path)
        assert runs["loss"].tolist() == [0.5, 0.6]

    def test_config_values_keep_their_types_and_lists_are_text(self, tmp_path: Path) -> None:
        finished_run(tmp_path, "a", [[0.6]], overrides=["model.state_size=[64,32]"])
        (row,) = experiments.load_runs(tmp_path).to_dict("records")
        assert row["model.state_size"] == "[64, 32]"
        assert row["task.dependencies.0.lag"] == 17
        assert row["model.bidirectional"] is False
        assert row["optimizer.clip_norm"] is None or np.isnan(row["optimizer.clip_norm"])

    def test_a_key_that_one_run_lacks_is_missing_there(self, tmp_path: Path) -> None:
        finished_run(tmp_path, "a", [[0.6]])
        run = finished_run(tmp_path, "b", [[0.5]])
        config = run.directory.config
        config.write_text(
            config.read_text("utf-8").replace(
                "  - effect: 0.5\n    lag: 17\n",
                "  - effect: 0.5\n    lag: 17\n  - effect: -0.25\n    lag: 3\n",
            ),
            "utf-8",
        )
        runs = experiments.load_runs(tmp_path)
        assert runs["task.dependencies.1.lag"].fillna(-1).tolist() == [-1, 3]

    def test_metrics_that_no_run_has_are_no_columns(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "a", [[0.6, 0.5]])
        assert "accuracy" not in experiments.load_runs(tmp_path)
        header, first, second = run.directory.metrics.read_text("utf-8").splitlines()
        place = header.split(",").index("accuracy")
        cells = second.split(",")
        cells[place] = "0.75"
        run.directory.metrics.write_text("\n".join([header, first, ",".join(cells), ""]), "utf-8")
        assert experiments.load_runs(tmp_path)["accuracy"].fillna(0).tolist() == [0, 0.75]

    def test_a_run_without_rows_adds_none(self, tmp_path: Path) -> None:
        finished_run(tmp_path, "a", [[0.6]])
        started = finished_run(tmp_path, "b", [[0.6]])
        started.directory.metrics.unlink()
        started.directory.write_summary({"status": "running"})
        assert len(experiments.load_runs(tmp_path)) == 1
        assert experiments.load_runs(tmp_path / "b").empty

    def test_a_folder_without_runs_and_a_damaged_file_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no run directory here or below"):
            experiments.load_runs(tmp_path)
        run = finished_run(tmp_path, "a", [[0.6]])
        run.directory.metrics.write_text("seed,loss\n0,0.5\n", "utf-8")
        with pytest.raises(UsageError, match=r"a/metrics\.csv: expected the columns"):
            experiments.load_runs(tmp_path)


def test_checkpoints_of_a_trainer_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It trains in memory: nothing is written to the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoints, "save", pytest.fail)
    with experiments.Trainer(small_config()) as trainer:
        trainer.update(10)
    assert list(tmp_path.iterdir()) == []
