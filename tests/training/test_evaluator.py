"""experiments/training/evaluator.py: a model's losses and probabilities against the references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import evaluation_stream
from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.training import evaluator
from experiments.training.evaluate import evaluate_run
from experiments.training.evaluator import Evaluator
from tests import numpy_reference
from tests.conftest import summary_of
from tests.numpy_reference import Weights
from tests.training.conftest import FLOAT64


def weights_of(run: RunDirectory, seed: int) -> Weights:
    found = checkpoints.newest(run.checkpoints, seed).checkpoint
    assert found is not None
    return Weights(*list(found.variables.values())[:4])


@pytest.mark.parametrize("batch_size", [None, 1, 7, 500, 20_000])
def test_losses_are_those_of_one_sequence_at_any_batch_size(
    run: RunDirectory, batch_size: int | None
) -> None:
    results = list(evaluate_run(run, batch_size, "last"))
    assert [result.seed for result in results] == [0, 1]
    for result in results:
        weights = weights_of(run, result.seed)
        sequence = FLOAT64.task.make().evaluation("fresh", evaluation_stream(result.seed))
        rows = cut_into_rows(sequence, 1)
        state = np.zeros([1, *FLOAT64.model.state_sizes])
        states = numpy_reference.forward(weights, rows.inputs.T, state)
        losses = numpy_reference.losses(weights, states, rows.labels.T)
        chances = numpy_reference.probabilities(weights, states)
        hits = chances.argmax(axis=-1) == rows.labels.T
        assert result.split == "fresh"
        assert result.evaluated.loss == pytest.approx(losses.mean(), abs=1e-10)
        assert result.evaluated.metrics["accuracy"] == pytest.approx(hits.mean(), abs=1e-12)
        assert result.evaluated.time_steps == losses.size
        assert result.updates == 400


# The layer has 6 × 4 weights and 4 biases.
@pytest.mark.parametrize(
    ("bound", "value"),
    [("TIME_STEPS_PER_RUN", 77), ("MULTIPLICATIONS_PER_RUN", 77 * 20 * 28)],
)
def test_the_state_is_carried_from_run_to_run(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    together = list(evaluate_run(run, 20, "last"))
    steps = set()
    forward = Evaluator._forward

    def noted(
        self: Evaluator, fetches: tuple[Any, ...], feeds: dict[Any, Any], state: Any
    ) -> tuple[Any, ...]:
        steps.add(len(feeds[self._graph.labels]))
        return forward(self, fetches, feeds, state)

    monkeypatch.setattr(Evaluator, "_forward", noted)
    monkeypatch.setattr(evaluator, bound, value)
    for whole, parts in zip(together, evaluate_run(run, 20, "last"), strict=True):
        assert parts.evaluated.loss == pytest.approx(whole.evaluated.loss, abs=1e-12)
    assert steps == {77, 1000 % 77}


def test_probabilities_are_the_references(run: RunDirectory) -> None:
    sequence = FLOAT64.task.make().evaluation("fresh", evaluation_stream(0))
    rows = cut_into_rows(sequence, 100)
    weights = weights_of(run, 0)
    checkpoint = checkpoints.newest(run.checkpoints, 0).checkpoint
    assert checkpoint is not None
    with Evaluator(FLOAT64, FLOAT64.task.make()) as reader:
        reader.restore(checkpoint.variables)
        ours = reader.probabilities(sequence, 100)
    states = numpy_reference.forward(weights, rows.inputs.T, np.zeros([100, 4]))
    expected = numpy_reference.probabilities(weights, states).transpose(1, 0, 2)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10)


def test_the_probe_in_the_summary_is_of_these_probabilities(run: RunDirectory) -> None:
    answers = summary_of(run.path)["probe"]
    assert answers
    for answer in answers:
        task = FLOAT64.task.make()
        sequence = task.evaluation("fresh", evaluation_stream(answer["seed"]))
        rows = cut_into_rows(sequence, FLOAT64.graph.batch_size)
        weights = weights_of(run, answer["seed"])
        states = numpy_reference.forward(weights, rows.inputs.T, np.zeros([20, 4]))
        chances = numpy_reference.probabilities(weights, states)[:, :, 1].T  # [batch, time]
        flat = sequence.inputs.reshape(20, -1)
        for one in answer["combinations"]:
            fits = (flat[:, 5:-3] == one["inputs"][0]) & (flat[:, :-8] == one["inputs"][1])
            assert one["time_steps"] == fits.sum()
            assert one["model"] == pytest.approx(chances[:, 8:][fits].mean(), abs=1e-10)
