"""Every shipped experiment, shrunken: it trains, it learns, and its checkpoint predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.streams import evaluation_stream
from data.task import Examples
from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.evaluate import evaluate_run
from experiments.training.evaluator import Evaluator
from experiments.training.trained_weights import find_checkpoint, load_into
from tests.conftest import metrics_of
from tests.data.test_captions import decode

# A few dozen updates, a row of metrics after every five.
FEW = (
    "training.epochs=1",
    "training.seeds=1",
    "training.validate_every=null",
    "training.patience=null",
    "execution.iterations_per_loop=5",
    "execution.xla=off",
    "logging.every=5",
    "logging.metrics=[]",
    "logging.tensorboard=false",
)
# Those that need files read what Python or a package ships.
SHIPPED_TEXT = (
    "task.source=python_docs",
    "task.path=null",
    "task.expect={sha256: null, symbols: null, vocabulary: null}",
    "model.state_size=16",
    "task.test=0",
)
SHRUNKEN = {
    "char_rnn": (*SHIPPED_TEXT, "model.state_size=[16,16]", "graph.batch_size=200"),
    "captions": (),
    "copy_memory": ("task.size=26240", "model.state_size=[8, 8]"),
    "digits_bidirectional": ("model.state_size=[8, 8]",),
    "digits_feedforward": (),
    "digits_lstm": (),
    "digits_small": (),
    "digits_stacked": ("model.state_size=[16, 32]",),
    "horizon": ("task.size=40000", "model.state_size=8"),
    "imdb": ("task.source=python_docs", "graph.batch_size=32", "model.state_size=[16, 16]"),
    "influence_balancing": ("task.size=6000",),
    "lag_17": ("task.size=108000",),
    "long_sequence": ("task.size=18000", "task.blanks=28", "graph.num_steps=30"),
    "matching": ("model.state_size=8", "model.embedding=8"),
    "mnist_basic_lstm": ("task.source=scikit_learn", "graph.num_steps=8"),
    "mnist_lstm": ("task.source=scikit_learn", "graph.num_steps=8", "graph.batch_size=64"),
    "mnist_rows": ("task.source=scikit_learn", "graph.num_steps=8", "model.state_size=32"),
    "numbers": ("task.digits=3", "task.length=8", "graph.num_steps=8", "model.state_size=16"),
    "ptb_vanilla": (*SHIPPED_TEXT, "task.vocabulary_size=500", "graph.batch_size=200"),
    "r2rt_n1": ("task.size=8000",),
    "r2rt_n10": ("task.size=80000",),
    "r2rt_n5": ("task.size=40000",),
    "sentiment_small": (),
    "shakespeare": (*SHIPPED_TEXT, "graph.batch_size=200"),
    "text_python_docs": ("task.test=0", "model.state_size=16", "graph.batch_size=200"),
}

SIZE = 6  # of the batches that checkpoints predict at; even, for pairs


def shrunken(experiment: str) -> Config:
    """The experiment on little data."""
    return load_config(experiment, [*FEW, *SHRUNKEN[experiment]])


@pytest.fixture(scope="module", params=names("experiment"))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A finished run of each."""
    path = tmp_path_factory.mktemp(request.param) / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "save_learning_curves", lambda *_: None)
        patch.setattr(runner, "evaluate_seeds", lambda *_: {})
        runner.train(shrunken(request.param), path)
    return RunDirectory(path)


def test_the_loss_falls_below_its_start(run: RunDirectory) -> None:
    losses = [row.loss for row in metrics_of(run.path)]
    assert np.mean(losses[-2:]) < losses[0]


def test_it_predicts_at_another_batch_size(run: RunDirectory) -> None:
    config = run.read_config()
    assert config.graph.batch_size != SIZE
    if config.task.make().held_out_rows is not None:
        with pytest.raises(UsageError, match=r"the run has task\.held_out_rows=32"):
            list(evaluate_run(run, SIZE, "last"))
        return
    as_trained, at_another = (list(evaluate_run(run, size, "last")) for size in (None, SIZE))
    for one, other in zip(as_trained, at_another, strict=True):
        assert other.evaluated.loss == pytest.approx(one.evaluated.loss, rel=1e-5)
        assert other.evaluated.time_steps == one.evaluated.time_steps


class Shape:
    """The steps of an example that have an input, and those that have a loss."""

    def __init__(self, experiment: str) -> None:
        drawn = shrunken(experiment).task.make().draw(evaluation_stream(0))
        self.carried = not isinstance(drawn, Examples)
        if isinstance(drawn, Examples):
            self.losses = [int(count) for count in drawn.weights.sum(axis=1)]
            shown = drawn.inputs.reshape(*drawn.inputs.shape[:2], -1).any(axis=2)
            self.inputs = [int(count) for count in shown.sum(axis=1)]


def test_one_to_many() -> None:
    shape = Shape("captions")
    assert set(shape.inputs) == {1}
    assert set(shape.losses) == {4, 5, 6}  # "one" to "three", and the end


@pytest.mark.parametrize("experiment", ["digits_small", "sentiment_small", "imdb", "mnist_rows"])
def test_many_to_one(experiment: str) -> None:
    shape = Shape(experiment)
    assert set(shape.losses) == {1}
    assert min(shape.inputs) > 1


@pytest.mark.parametrize(
    "experiment", ["r2rt_n5", "text_python_docs", "shakespeare", "ptb_vanilla", "copy_memory"]
)
def test_many_to_many_aligned(experiment: str) -> None:
    assert Shape(experiment).carried  # a Sequence: each of its inputs has a label and a loss


def test_a_trained_caption_is_spelled_from_the_image_alone(tmp_path: Path) -> None:
    config = load_config("captions", [*FEW, "training.epochs=12"])
    runner.train(config, tmp_path / "run")
    directory, task = RunDirectory(tmp_path / "run"), config.task.make()
    checkpoint = find_checkpoint(directory, 0, "last")
    assert checkpoint is not None
    test = task.evaluation("test", evaluation_stream(0))
    with Evaluator(config, task) as evaluator:
        load_into(evaluator, directory, checkpoint)
        likeliest = evaluator.probabilities(test, 360).argmax(axis=-1)
    spelled = [decode(row) for row in likeliest]
    right = [decode(row) == ours for row, ours in zip(test.labels, spelled, strict=True)]
    assert np.mean(right) > 0.8
