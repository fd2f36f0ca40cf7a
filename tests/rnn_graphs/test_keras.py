"""The same outputs as Keras's layers of TF 2, from the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras

from rnn_graphs.config import ModelConfig
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.unrolls import UNROLLS
from tests.graphs import close

TIME, BATCH, INPUTS = 4, 3, 2


def ours_and_keras(config: ModelConfig, layers: list[Any], split: Any) -> tuple[Any, Any]:
    """Outputs of the model's layers and of Keras's, [time, batch, units], on the same weights."""
    stream = np.random.default_rng(0)
    inputs = stream.normal(size=[TIME, BATCH, INPUTS])
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(config, TaskShape(INPUTS, 2, inputs="features"), tf.float64)
        outputs = UNROLLS["static"](
            model.cell, tf.constant(inputs), model.zero_state(BATCH), None
        ).outputs
        keras = tf_keras.Sequential(layers)
        theirs = keras(tf.constant(inputs.swapaxes(0, 1)))
        session.run(tf.global_variables_initializer())
        values = [stream.normal(0, 0.5, variable.shape) for variable in model.variables]
        cells = zip(values[:-2:2], values[1:-2:2], strict=True)  # kernel and bias; then the head's
        theirs_of = [part for kernel, bias in cells for part in split(kernel, bias)]
        pairs = [*zip(model.variables, values, strict=True),
                 *zip(keras.weights, theirs_of, strict=True)]  # fmt: skip
        for variable, value in pairs:
            session.run(variable.assign(value))
        mine, other = session.run((outputs, theirs))
    return mine, other.swapaxes(0, 1)


def test_a_stack_of_simple_rnns() -> None:
    config = ModelConfig(cell="basic_rnn", state_size=(3, 2))
    sizes = iter((INPUTS, 3))

    def split(kernel: Any, bias: Any) -> list[Any]:
        rows = next(sizes)
        return [kernel[:rows], kernel[rows:], bias]

    layers = [
        tf_keras.layers.SimpleRNN(units, return_sequences=True, unroll=True, dtype="float64")
        for units in (3, 2)
    ]
    close(*ours_and_keras(config, layers, split))


@pytest.mark.parametrize("cell", ["basic_lstm", "lstm"])
def test_an_lstm_whose_gates_are_in_another_order(cell: str) -> None:
    """Keras has i, f, j, o, and its forget bias is in the bias."""
    config = ModelConfig(cell=cell, state_size=3)

    def split(kernel: Any, bias: Any) -> list[Any]:
        bias = bias + np.repeat([0, 0, 1, 0], 3)
        kernel, bias = (
            np.concatenate([np.split(part, 4, -1)[place] for place in (0, 2, 1, 3)], -1)
            for part in (kernel, bias)
        )
        return [kernel[:INPUTS], kernel[INPUTS:], bias]

    layer = tf_keras.layers.LSTM(3, return_sequences=True, unroll=True, dtype="float64")
    close(*ours_and_keras(config, [layer], split))
