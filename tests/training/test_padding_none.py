"""graph.padding=none: the losses of the padding count in training, and in nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.examples import take
from data.streams import training_stream
from data.task import Examples
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.training.evaluator import Evaluator
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.truncation.credit import definition
from tests.graphs import close
from tests.layers_reference import Example, gradient, pairs

SMALL = (
    "model.state_size=5", "graph.precision=float64", "execution.xla=off",
    "execution.iterations_per_loop=2", "optimizer.kind=sgd", "optimizer.learning_rate=1e-9",
)  # fmt: skip


def test_training_takes_the_mean_over_the_padding_too_and_evaluation_does_not() -> None:
    config = load_config("captions", [*SMALL, "graph.padding=none"])
    masked = load_config("captions", [*SMALL, "graph.padding=mask"])
    work = make_workload(config)
    drawn = work.task.draw(training_stream(0))
    assert isinstance(drawn, Examples)
    windows = cut_into_rows(drawn, 32).windows(0, 1, 6)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        variables = session.variables()
        trained = session.train(windows, 1)["loss"][0]
    with TrainingSession(build(masked, work), 1) as session:
        session.initialize(0)
        real = session.train(windows, 1)["loss"][0]
    with Evaluator(config, work.task) as evaluator:
        evaluator.restore(variables)
        examples = take(drawn, slice(32))
        chances = evaluator.probabilities(examples, 32)
        measured = evaluator.evaluate(examples, 32)
    losses = -np.log(np.take_along_axis(chances, examples.labels[..., None], -1)[..., 0])
    assert trained == pytest.approx(losses.mean(), abs=1e-9)
    assert real == pytest.approx(np.average(losses, weights=examples.weights), abs=1e-9)
    assert measured.loss == pytest.approx(real, abs=1e-9)
    assert measured.time_steps == examples.weights.sum() < losses.size
    assert abs(trained - real) > 1e-6


@pytest.mark.parametrize(
    "style",
    [
        {"kind": "tf_style", "depth": 3},
        {"kind": "true_bptt", "depth": 2},
        {"kind": "williams_peng", "depth": 4, "stride": 2},
    ],
    ids=str,
)
def test_errors_of_the_padding_flow_back_as_far_as_the_style_says(style: dict[str, Any]) -> None:
    """One step of SGD at a rate of 1 against NumPy, where all losses of the window count."""
    keys = [f"truncation.{key}={value}" for key, value in style.items()]
    config = load_config(
        "captions",
        ["model.cell=basic_rnn", "model.state_size=2", "graph.precision=float64",
         "execution.xla=off", "optimizer.kind=sgd", "optimizer.learning_rate=1",
         "graph.batch_size=3", "graph.padding=none", *keys],
    )  # fmt: skip
    work = make_workload(config)
    windows = cut_into_rows(work.task.draw(training_stream(0)), 3).windows(0, 1, 6)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        before = session.variables()
        session.train(windows, 1)
        after = session.variables()
    names = ["layer_0/basic_rnn_cell/kernel", "layer_0/basic_rnn_cell/bias", "softmax/W",
             "softmax/b"]  # fmt: skip
    example = Example(windows.inputs.swapaxes(0, 1), windows.labels.T, [np.zeros([3, 2])])
    found = pairs(config.model, [before[f"model/{name}"] for name in names], example)
    expected = gradient(found, definition(config.truncation, 6), None)
    for name, theirs in zip(names, expected, strict=True):
        close(before[f"model/{name}"] - after[f"model/{name}"], theirs, name)
        assert abs(theirs).max() > 1e-3


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ("r2rt_n5", "binary_dependency has no padding; expected mask, got none"),
        ("sentiment_small", "sentiment has no loss at some steps before the padding"),
        ("digits_bidirectional", "expected sequence_length where model.bidirectional is true"),
    ],
)
def test_where_there_is_no_loss_in_the_padding_it_is_refused(experiment: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_workload(load_config(experiment, ["graph.padding=none"]))
