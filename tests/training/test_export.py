"""run.py export: a plain graph of TensorFlow 1 restores the checkpoint by its own names."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from data.examples import take
from data.streams import evaluation_stream
from data.task import Examples
from experiments.config.compose import load_config
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.evaluator import Evaluator
from experiments.training.export import export
from experiments.training.trained_weights import find_checkpoint
from experiments.training.workload import make_workload
from rnn_graphs.tf1 import tf

UNITS = 6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A small LSTM on digits."""
    config = load_config(
        "digits_small",
        [
            "model.cell=lstm", f"model.state_size={UNITS}", "training.epochs=1", "task.limit=64",
            "training.validate_every=null", "execution.xla=off",
        ],
    )  # fmt: skip
    path = tmp_path_factory.mktemp("export") / "run"
    runner.train(config, path)
    return RunDirectory(path)


@pytest.fixture(scope="module")
def digits(run: RunDirectory) -> Examples:
    """Some held-out images."""
    drawn = make_workload(run.read_config()).task.evaluation("test", evaluation_stream(0))
    assert isinstance(drawn, Examples)
    return take(drawn, slice(9))


@pytest.fixture(scope="module")
def expected(run: RunDirectory, digits: Examples) -> np.ndarray:
    """The run's own probabilities, [examples, time, classes]."""
    config, found = run.read_config(), find_checkpoint(run, 0, "last")
    assert found is not None
    with Evaluator(config, make_workload(config).task) as evaluator:
        evaluator.restore(found.variables)
        return evaluator.probabilities(digits, 9)


def test_a_graph_written_by_hand_restores_it(
    run: RunDirectory, digits: Examples, expected: np.ndarray, tmp_path: Path
) -> None:
    written = export(run, tmp_path / "out", "last")
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = tf.placeholder(tf.float32, [None, 8, 8])
        with tf.variable_scope("model"):
            with tf.variable_scope("layer_0"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cell = tf.nn.rnn_cell.LSTMCell(UNITS)
                state = cell.zero_state(9, tf.float32)
                outputs = []
                for step in tf.unstack(inputs, axis=1):
                    output, state = cell(step, state)
                    outputs.append(output)
            with tf.variable_scope("softmax"):
                W = tf.get_variable("W", [UNITS, 10])
                b = tf.get_variable("b", [10])
        probabilities = tf.nn.softmax(tf.matmul(outputs[-1], W) + b)
        saver = tf.train.Saver()
        saver.restore(session, str(written.checkpoint))
        found = session.run(probabilities, {inputs: digits.inputs})
    np.testing.assert_allclose(found, expected[:, -1], atol=1e-6)


def test_the_graph_beside_it_predicts_for_any_batch(
    run: RunDirectory, digits: Examples, expected: np.ndarray, tmp_path: Path
) -> None:
    written = export(run, tmp_path / "out", "last")
    ends = json.loads(written.endpoints.read_text())
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(f"{written.checkpoint}.meta")
        saver.restore(session, str(written.checkpoint))
        for count in (1, 9):
            state = session.run(ends["first_state"], {ends["batch_size"]: count})
            feeds = dict(zip(ends["state"], state, strict=True))
            feeds[ends["inputs"]] = digits.inputs[:count].swapaxes(0, 1)
            feeds[ends["lengths"]] = digits.lengths[:count]
            found = session.run(ends["probabilities"], feeds)
            np.testing.assert_allclose(found.swapaxes(0, 1), expected[:count], atol=1e-6)
