"""Answers to questions that people ask about TensorFlow's recurrent networks, each as a test."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.tasks.captions import Captions, CaptionsConfig
from rnn_graphs.config import ModelConfig
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from tests.conftest import ROOT
from tests.graphs import FULL, close, draw_example, run_steps


def stacked(cells: Any, input_size: int = 4) -> list[str]:
    """The variables of a MultiRNNCell, by name."""
    with tf.Graph().as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stack = tf.nn.rnn_cell.MultiRNNCell(cells(tf.nn.rnn_cell.GRUCell))
        stack(tf.zeros([1, input_size]), stack.zero_state(1, tf.float32))
        return [variable.op.name for variable in tf.trainable_variables()]


def test_a_list_times_n_is_one_cell_with_one_set_of_weights() -> None:
    """`[cell] * 3` is three times the same object. Each layer needs a cell of its own."""
    shared = stacked(lambda GRUCell: [GRUCell(4)] * 3)
    own = stacked(lambda GRUCell: [GRUCell(4) for _ in range(3)])
    assert len(own) == 3 * len(shared)
    with pytest.raises(ValueError, match=r"Trying to share variable|Dimensions must be equal"):
        stacked(lambda GRUCell: [GRUCell(4)] * 3, input_size=3)
    with tf.Graph().as_default():
        model = Model(ModelConfig(cell="gru", state_size=(4, 4, 4)), TaskShape(4, 2), tf.float32)
        assert len(model.variables) - 2 == len(own)  # the head has two


def test_the_number_of_parameters_does_not_change_with_num_steps() -> None:
    """Weights are shared by time steps, not by units."""
    counts = []
    for steps in (1, 7):
        with tf.Graph().as_default():
            model = Model(ModelConfig(cell="lstm", state_size=5), TaskShape(3, 2), tf.float32)
            inputs = model.encode(tf.zeros([steps, 2], tf.int32), tf.zeros([2], tf.int32))
            model.unrolls["static"](model.cell, inputs, model.zero_state(2), None)
            variables = tf.trainable_variables()
            counts.append(sum(int(np.prod(variable.shape)) for variable in variables))
    assert counts[0] == counts[1] == 4 * 5 * (3 + 5 + 1) + 2 * (5 + 1)


def test_lengths_can_be_read_off_padded_inputs_in_the_graph() -> None:
    """The sum over time of the sign of the largest |x|, where padding is zeros."""
    task = CaptionsConfig(kind="captions", valid=0).make()
    assert isinstance(task, Captions)
    lengths = task.train.lengths[:50]
    padded = np.random.default_rng(0).normal(size=[50, 6, 3])
    padded *= (np.arange(6) < lengths[:, None])[..., None]
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(padded)
        found, without_abs = session.run(
            [
                tf.cast(tf.reduce_sum(tf.sign(largest), 1), tf.int32)
                for largest in (tf.reduce_max(tf.abs(x), 2), tf.reduce_max(x, 2))
            ]
        )
    np.testing.assert_array_equal(found, lengths)
    # The notes take the sign of the largest feature, which is -1 where all of them are negative.
    negative = ((padded < 0).all(axis=2)).sum(axis=1)
    np.testing.assert_array_equal(without_abs, lengths - 2 * negative)
    assert negative.any()


def test_a_sigmoid_of_one_column_is_a_softmax_of_two() -> None:
    """Dense(1) with binary cross-entropy has the losses of two classes, and the gradients."""
    stream = np.random.default_rng(1)
    outputs, labels = stream.normal(size=[9, 4]), stream.integers(0, 2, 9)
    with tf.Graph().as_default(), tf.Session() as session:
        W, b = tf.constant(stream.normal(size=[4, 2])), tf.constant(stream.normal(size=[2]))
        x = tf.constant(outputs)
        two = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x @ W + b)
        column = x @ (W[:, 1:] - W[:, :1]) + b[1] - b[0]
        one = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.constant(labels[:, None], tf.float64), logits=column
        )
        losses = session.run((two, one[:, 0]))
        errors = session.run([tf.gradients(loss, x)[0] for loss in (two, one)])
    close(*losses)
    close(*errors)


def test_the_tape_of_tensorflow_2_finds_the_same_gradients(tmp_path: Path) -> None:
    config = ModelConfig(cell="lstm", state_size=3, embedding=2)
    ran = run_steps(config, draw_example(0), [("static", FULL)])
    names = ("embedding", "kernel", "bias", "W", "b")
    c, h = ran.example.state
    given: dict[str, Any] = dict(zip(names, ran.weights, strict=True))
    file = tmp_path / "lstm.npz"
    np.savez(file, c=c, h=h, ids=ran.example.inputs, labels=ran.example.labels, **given)
    subprocess.run([sys.executable, str(ROOT / "tests" / "eager_lstm.py"), str(file)], check=True)
    taped = np.load(file)
    close(ran.steps[0].loss, taped["loss"])
    for number, ours in enumerate(ran.steps[0].gradients):
        theirs = taped[f"gradient_{number}"]
        close(ours, theirs)
        assert abs(theirs).max() > 1e-6
