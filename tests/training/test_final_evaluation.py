"""experiments/training/final_evaluation.py: trained models on fresh data, asked by their task."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from data.streams import evaluation_stream
from data.task import Drawn, Task
from experiments.errors import Interrupted, RunError
from experiments.interrupts import StopRequest
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.runs.run import read_run
from experiments.training import final_evaluation, runner
from experiments.training.evaluate import evaluate_run
from experiments.training.evaluator import Evaluated, Evaluator
from experiments.training.final_evaluation import Evaluation, evaluate_model, evaluate_seeds
from tests.conftest import small_config, summary_of


class Guesses:
    """Stands in for an evaluator: a model that knows nothing. Keeps what it is asked."""

    def __init__(self) -> None:
        self.drawn: Drawn | None = None

    def evaluate(self, drawn: Drawn, _batch_size: int, rows: int | None) -> Evaluated:
        assert rows is None  # the whole sequence, at any batch size
        return Evaluated(0.25, {}, len(drawn.inputs))

    def probabilities(self, drawn: Drawn, batch_size: int) -> NDArray[np.float64]:
        self.drawn = drawn
        return np.full((batch_size, len(drawn.inputs) // batch_size, 2), 0.5)


def test_a_model_is_asked_on_the_fresh_data_of_its_seed() -> None:
    task, guesses = small_config().task.make(), Guesses()
    fresh, answers = evaluate_model(task, cast(Evaluator, guesses), 7, 20)
    assert fresh is not None
    assert fresh.loss == 0.25
    assert answers is not None
    assert list(answers) == ["combinations", "effects"]
    assert guesses.drawn is not None
    expected = task.evaluation("fresh", evaluation_stream(7))
    np.testing.assert_array_equal(guesses.drawn.inputs, expected.inputs)


@pytest.mark.parametrize(("batch_size", "rows"), [(20, 20), (1_000_000, 20_000)])
def test_there_are_at_most_as_many_rows_as_symbols(batch_size: int, rows: int) -> None:
    task = small_config().task.make()
    _, answers = evaluate_model(task, cast(Evaluator, Guesses()), 0, batch_size)
    assert answers is not None
    asked = sum(one["time_steps"] for one in answers["combinations"])
    assert asked == rows * max(0, 20_000 // rows - 8)


def test_where_windows_start_anew_a_step_is_asked_if_its_window_has_seen_the_lags(
    tmp_path: Path,
) -> None:
    """Of 10 steps, the last two have seen the input 8 steps back."""
    config = small_config(
        "training.carry_state=false", "graph.num_steps=10", "task.size=4003", "training.epochs=1"
    )
    runner.train(config, tmp_path)
    (answers,) = summary_of(tmp_path)["probe"]
    assert sum(one["time_steps"] for one in answers["combinations"]) == 400 * 2


def test_a_seed_that_is_not_complete_is_not_evaluated(tmp_path: Path) -> None:
    config = small_config()
    positions = [Position(0, status="diverged")]
    task, directory = config.task.make(), RunDirectory(tmp_path)
    found = evaluate_seeds(config, task, directory, positions, StopRequest(), print)
    assert found == {"probe": []}


def test_a_loss_that_is_not_finite_is_divergence_and_can_be_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def overflows(task: Task, evaluator: Evaluator, seed: int, batch_size: int) -> Evaluation:
        loss = np.inf if seed == 1 else 0.5
        measured = evaluate_model(task, evaluator, seed, batch_size)
        return measured._replace(fresh=Evaluated(loss, {}, 4000))

    monkeypatch.setattr(final_evaluation, "evaluate_model", overflows)
    config = small_config("task.size=4000", "training.epochs=1", "training.seeds=3")
    for _ in range(2):
        with pytest.raises(RunError, match=r"the loss or a weight was not finite for seed 1$"):
            runner.train(config, tmp_path)
    assert "already diverged" in capsys.readouterr().out
    run = read_run(tmp_path)
    assert run.summary["seeds"] == {"0": "complete", "1": "diverged", "2": "complete"}
    assert run.fresh_losses == {0: 0.5, 2: 0.5}
    assert [answers["seed"] for answers in run.summary["probe"]] == [0, 2]


def test_it_stops_between_seeds_and_goes_on_when_the_command_is_rerun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stops(task: Task, evaluator: Evaluator, seed: int, batch_size: int) -> Evaluation:
        measured = evaluate_model(task, evaluator, seed, batch_size)
        if seed == 1:
            signal.raise_signal(signal.SIGINT)
        return measured

    config = small_config("task.size=4000", "training.epochs=1", "training.seeds=3")
    with monkeypatch.context() as patch:
        patch.setattr(final_evaluation, "evaluate_model", stops)
        with pytest.raises(Interrupted, match="stopped while a model was evaluated; rerun"):
            runner.train(config, tmp_path)
    told = capsys.readouterr().out
    assert [f"seed {seed}: loss on fresh data 0." in told for seed in range(3)] == [
        True,
        True,
        False,
    ]
    assert summary_of(tmp_path)["status"] == "interrupted"
    runner.train(config, tmp_path)
    assert list(summary_of(tmp_path)["fresh_loss"]["per_seed"]) == ["0", "1", "2"]


@pytest.mark.parametrize("task", ["binary_dependency", "copy_memory"])
def test_the_summary_has_the_loss_that_evaluate_measures(tmp_path: Path, task: str) -> None:
    """With a probe and without, and at any batch size."""
    config = small_config(f"task={task}", "task.size=4000", "training.epochs=1", "training.seeds=2")
    runner.train(config, tmp_path)
    results = list(evaluate_run(RunDirectory(tmp_path), None, "last"))
    found = summary_of(tmp_path)["fresh_loss"]
    expected = {str(result.seed): result.evaluated.loss for result in results}
    assert found["per_seed"] == expected
    assert found["time_steps"] == {"0": 4000, "1": 4000}
    for result in evaluate_run(RunDirectory(tmp_path), 7, "last"):
        assert result.evaluated.loss == pytest.approx(expected[str(result.seed)], rel=1e-6)
    assert found["mean"] == pytest.approx(sum(expected.values()) / 2)
