"""Validation through training: its rows, the best checkpoint, early stopping, resuming."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from numpy.typing import NDArray

from data.task import Drawn
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import Interrupted, RunError, UsageError
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import read_metrics
from experiments.runs.run import read_run
from experiments.training import runner
from experiments.training.evaluate import evaluate_run
from experiments.training.evaluator import Evaluator
from experiments.training.export import export
from experiments.training.states import SequenceOptions, record_run
from experiments.training.validation import Validation
from tests.conftest import StopAtSave, assert_same_end, metrics_of, summary_of

# 8×8 digits: 40 updates an epoch, in about a second.
SMALL = (
    "model.cell=basic_rnn",
    "model.state_size=8",
    "model.output_keep_prob=1",
    "execution.xla=off",
    "execution.iterations_per_loop=7",
    "logging.every=10",
    "logging.tensorboard=false",
    "logging.checkpoint_seconds=0",
)


def digits(*overrides: str) -> Config:
    return load_config("digits_small", [*SMALL, *overrides])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four epochs of two seeds, validated after the second and the fourth."""
    path = tmp_path_factory.mktemp("run")
    config = digits("training.epochs=4", "training.validate_every=2", "training.seeds=2")
    runner.train(config, path)
    return path


def test_there_is_a_row_for_each_validation(trained: Path) -> None:
    rows = [row for row in read_metrics(trained / "metrics.csv") if row.split == "valid"]
    assert [(row.seed, row.epoch) for row in rows] == [(0, 2), (0, 4), (1, 2), (1, 4)]
    assert all(list(row.metrics) == ["accuracy"] for row in rows)  # as logging.metrics has it
    assert all(0 < row.metrics["accuracy"] <= 1 for row in rows)


def test_it_is_what_evaluate_finds(trained: Path) -> None:
    rows = [row for row in read_metrics(trained / "metrics.csv") if row.split == "valid"]
    for result in evaluate_run(RunDirectory(trained), None, "last"):
        if result.split == "valid":
            row = rows[2 * result.seed + 1]
            assert result.evaluated.loss == pytest.approx(row.loss, rel=1e-6)
            accuracy = result.evaluated.metrics["accuracy"]
            assert accuracy == pytest.approx(row.metrics["accuracy"], rel=1e-6)


def test_the_best_checkpoint_has_the_least_loss(trained: Path) -> None:
    rows = [row for row in read_metrics(trained / "metrics.csv") if row.split == "valid"]
    best = {r.seed: r for r in evaluate_run(RunDirectory(trained), 7, "best") if r.split == "valid"}
    for seed in (0, 1):
        least = min((row for row in rows if row.seed == seed), key=lambda row: row.loss)
        assert best[seed].updates == least.updates
        assert best[seed].evaluated.loss == pytest.approx(least.loss, rel=1e-5)
        assert summary_of(trained)["validation"]["per_seed"][str(seed)] == pytest.approx(least.loss)


def test_a_set_smaller_than_the_batch_size_is_read_at_once(trained: Path) -> None:
    """144 images in valid, 360 in test."""
    for size in (None, 300):
        found = evaluate_run(RunDirectory(trained), size, "last")
        assert [result.evaluated.time_steps for result in found] == [144, 360] * 2
    with pytest.raises(UsageError, match=r"--batch-size: expected 1 to .*, 360; got 361"):
        list(evaluate_run(RunDirectory(trained), 361, "last"))


def test_patience_stops_a_seed_that_gets_no_better(tmp_path: Path) -> None:
    config = digits(
        "training.epochs=40", "training.validate_every=1", "training.patience=3",
        "optimizer.learning_rate=0.1",
    )  # fmt: skip
    runner.train(config, tmp_path)
    losses = [row.loss for row in read_metrics(tmp_path / "metrics.csv") if row.split == "valid"]
    assert len(losses) < 40
    assert min(losses[-3:]) >= min(losses[:-3])
    assert losses.index(min(losses)) == len(losses) - 4
    summary = summary_of(tmp_path)
    assert summary["status"] == "complete"
    trained = summary["updates"]["0"]
    assert trained < summary["total_updates"]
    # Of the updates that were made, and not of those that were planned.
    assert summary["final_loss"]["updates"]["0"] == trained - 9 * trained // 10


def test_stopped_while_it_validates_it_ends_as_if_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = digits("training.epochs=3", "training.validate_every=1", "training.patience=5")
    runner.train(config, tmp_path / "undisturbed")
    evaluate = Validation.evaluate
    count = itertools.count(1)

    def interrupted(self: Validation, variables: dict[str, NDArray[Any]]) -> dict[str, float]:
        if next(count) in (1, 3):
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, variables)

    monkeypatch.setattr(Validation, "evaluate", interrupted)
    for _ in range(2):
        with pytest.raises(Interrupted, match="stopped while a model was evaluated; rerun the"):
            runner.train(config, tmp_path / "run")
    runner.train(config, tmp_path / "run")
    assert_same_end(tmp_path / "run", tmp_path / "undisturbed", [0])
    assert len([row for row in metrics_of(tmp_path / "run") if row.split == "valid"]) == 3
    ours, theirs = (summary_of(tmp_path / name)["validation"] for name in ("run", "undisturbed"))
    assert ours == theirs


def test_stopped_and_started_again_it_ends_as_if_undisturbed(
    tmp_path: Path, stop_at_save: StopAtSave
) -> None:
    config = digits("training.epochs=3", "training.patience=5", "model.input_keep_prob=0.8")
    runner.train(config, tmp_path / "undisturbed")
    for number in (3, 6, 1):
        stop_at_save.arm(number)
        with pytest.raises(Interrupted):
            runner.train(config, tmp_path / "run")
    runner.train(config, tmp_path / "run")
    assert_same_end(tmp_path / "run", tmp_path / "undisturbed", [0])
    ends = [summary_of(tmp_path / name)["final_loss"] for name in ("run", "undisturbed")]
    assert ends[0] == ends[1]
    ours, theirs = (
        checkpoints.best(tmp_path / name / "checkpoint", 0) for name in ("run", "undisturbed")
    )
    assert ours is not None
    assert theirs is not None
    assert (ours.position.updates, ours.position.best_loss) == (
        theirs.position.updates, theirs.position.best_loss,
    )  # fmt: skip
    assert metrics_of(tmp_path / "run")[-1].split == "valid"


@pytest.mark.parametrize(
    ("experiment", "override", "reason"),
    [
        ("digits_small", "graph.num_steps=5", "graph.num_steps: expected the length of an ex"),
        ("digits_small", "model.embedding=3", "model.embedding: the inputs of digits are features"),
        ("r2rt_n5", "model.bidirectional=true", "model.bidirectional: binary_dependency carries"),
        ("r2rt_n5", "graph.padding=sequence_length", "graph.padding: binary_dependency has no pad"),
        ("r2rt_n5", "training.validate_every=1", "binary_dependency has no set valid, only fresh"),
        ("text_python_docs", "task.valid=0 task.test=0", "text has no set valid, it has none; exp"),
        (
            "influence_balancing",
            "logging.metrics=[accuracy]",
            "accuracy is for labels that are ids or pairs; .* influence_balancing are",
        ),
        ("influence_balancing", "logging.metrics=[bits]", "bits is for labels that are ids"),
    ],
)
def test_what_the_data_do_not_allow_is_told(
    experiment: str, override: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=reason):
        runner.train(load_config(experiment, override.split()), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("training.patience=3", "patience: without validate_every there is no validation loss"),
        ("logging.metrics=[bits,bits]", "each metric at most once"),
        ("logging.metrics=[acuracy]", "'acuracy' is not a metric; did you mean 'accuracy'"),
        ("logging.metrics=[bits,x]", "'x' is not a metric; expected some of accuracy, gradient_n"),
        ("optimizer.decay_rate=0.5", "decay_rate and decay_steps: expected both or neither"),
        ("optimizer.staircase=true", "staircase: without decay_rate"),
        ("model.peepholes=true", "peepholes is for lstm; scratch does not use it"),
        ("model.cell=basic_rnn model.activation=crelu", "only scratch can take that"),
        ("model.state_size=[4,0]", "expected a size from 1 to 65536"),
        ("model.initializer=normal", "initializer_scale: normal needs one"),
        ("model.initializer_scale=1", "initializer_scale: glorot_uniform takes none"),
    ],
)
def test_what_does_not_fit_together_is_told(override: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load_config("r2rt_n5", override.split())


class TestNotANumber:
    """One update with a learning rate of 1e30 leaves weights that overflow at the next use."""

    OVERRIDES = (
        "training.epochs=1", "training.validate_every=1", "task.limit=32", "graph.batch_size=32",
        "optimizer.kind=sgd", "model.activation=relu",
    )  # fmt: skip

    @pytest.mark.parametrize("rate", ["1e30", "1e38"])
    def test_it_is_divergence_and_never_the_best(self, tmp_path: Path, rate: str) -> None:
        config = digits(*self.OVERRIDES, f"optimizer.learning_rate={rate}", "model.state_size=32")
        with pytest.raises(RunError, match="the loss or a weight was not finite for seed 0"):
            runner.train(config, tmp_path)
        summary = summary_of(tmp_path)  # read as strictly as JSON is defined
        assert summary["status"] == "diverged"
        assert summary["validation"] is None
        assert not (tmp_path / "checkpoint" / "seed-0" / "best.npz").exists()
        rows = read_metrics(tmp_path / "metrics.csv")
        assert [row.split for row in rows] == ["train"]
        assert rows[0].loss < 10

    def test_a_best_model_from_before_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second of three validations overflows, though the weights are finite."""
        losses = iter([2.5, float("nan"), 2.0])
        monkeypatch.setattr(Validation, "evaluate", lambda *_: {"loss": next(losses)})
        with pytest.raises(RunError, match="not finite for seed 0"):
            runner.train(digits("training.epochs=3", "training.validate_every=1"), tmp_path)
        best = checkpoints.best(tmp_path / "checkpoint", 0)
        assert best is not None
        assert (best.position.epoch, best.position.best_loss) == (1, 2.5)
        rows = [row for row in read_metrics(tmp_path / "metrics.csv") if row.split == "valid"]
        assert [row.loss for row in rows] == [2.5]
        validation = summary_of(tmp_path)["validation"]
        assert validation["per_seed"] == {"0": 2.5}
        assert validation["best_loss"] == {"mean": None, "low": None, "high": None}
        assert read_run(tmp_path).least_validation_losses == [2.5]

    def test_such_a_checkpoint_is_refused_and_evaluate_measures_the_others(
        self, tmp_path: Path
    ) -> None:
        runner.train(digits("training.epochs=1", "training.seeds=2"), tmp_path)
        found = checkpoints.newest(tmp_path / "checkpoint", 0).checkpoint
        assert found is not None
        name, value = next(iter(found.variables.items()))
        broken = found._replace(variables=found.variables | {name: value * float("nan")})
        checkpoints.save(tmp_path / "checkpoint", broken)
        results = evaluate_run(RunDirectory(tmp_path), None, "last")
        assert [next(results).seed for _ in range(2)] == [1, 1]
        refusal = f"seed-0.* diverged: {name} is not finite"
        with pytest.raises(RunError, match=refusal):
            next(results)
        with pytest.raises(RunError, match=refusal):
            record_run(RunDirectory(tmp_path), SequenceOptions(None, 8, 0), "last")
        with pytest.raises(RunError, match=refusal):
            export(RunDirectory(tmp_path), tmp_path / "out", "last")


class TestPolicy:
    @staticmethod
    def validation(*overrides: str) -> Validation:
        """Of a config alone: its evaluator is not asked."""
        config = digits("training.epochs=7", *overrides)
        return Validation(config, cast(Evaluator, None), cast(Drawn, None))

    def test_it_is_due_every_n_epochs_and_at_the_end(self) -> None:
        validation = self.validation("training.validate_every=3")
        due = [n for n in range(1, 7) if validation.is_due(Position(0, epoch=n))]
        assert due == [3, 6]
        assert validation.is_due(Position(0, epoch=7, status="complete"))
        assert not validation.is_due(Position(0, epoch=3, status="diverged"))

    def test_patience_counts_validations_since_the_best(self) -> None:
        validation = self.validation("training.validate_every=1", "training.patience=2")
        position, found = Position(0), []
        for loss in (1.0, 0.5, 0.75, 0.25, 0.25, 0.375):
            best = validation.judge(position, loss)
            found.append((best, position.best_loss, position.stale, position.status))
        assert found == [
            (True, 1.0, 0, "running"),
            (True, 0.5, 0, "running"),
            (False, 0.5, 1, "running"),
            (True, 0.25, 0, "running"),
            (False, 0.25, 1, "running"),
            (False, 0.25, 2, "complete"),
        ]

    def test_a_loss_that_is_not_finite_is_divergence(self) -> None:
        validation = self.validation("training.validate_every=1")
        for loss in (float("nan"), float("inf")):
            position = Position(0)
            assert not validation.judge(position, loss)
            assert (position.status, position.best_loss) == ("diverged", None)

    def test_without_patience_a_seed_is_never_stopped(self) -> None:
        validation, position = self.validation("training.validate_every=1"), Position(0)
        for _ in range(20):
            validation.judge(position, 1.0)
        assert (position.stale, position.status) == (19, "running")
