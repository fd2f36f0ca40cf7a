"""A plain copy of the blog's own code, the baseline of the bench.

Source: r2rt, "Recurrent Neural Networks in Tensorflow I" (2016). A Python loop draws
the data; every update is one `session.run` with a feed_dict and four fetches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_graphs.config import ModelConfig
from rnn_graphs.model import make_cell
from rnn_graphs.tf1 import tf

BATCH_SIZE = 200
NUM_CLASSES = 2
LEARNING_RATE = 0.1
Array = NDArray[Any]


def gen_data(size: int) -> tuple[Array, Array]:
    """The blog's data loop, on NumPy's global stream."""
    X = np.array(np.random.choice(2, size=(size,)))
    Y = []
    for i in range(size):
        threshold = 0.5
        if X[i - 3] == 1:
            threshold += 0.5
        if X[i - 8] == 1:
            threshold -= 0.25
        if np.random.rand() > threshold:
            Y.append(0)
        else:
            Y.append(1)
    return X, np.array(Y)


def gen_batch(raw_data: tuple[Array, Array], num_steps: int) -> Iterator[tuple[Array, Array]]:
    """The blog's batches: the data cut into rows, and windows along them."""
    raw_x, raw_y = raw_data
    length = len(raw_x) // BATCH_SIZE
    data_x = np.zeros([BATCH_SIZE, length], dtype=np.int32)
    data_y = np.zeros([BATCH_SIZE, length], dtype=np.int32)
    for i in range(BATCH_SIZE):
        data_x[i] = raw_x[length * i : length * (i + 1)]
        data_y[i] = raw_y[length * i : length * (i + 1)]
    for i in range(length // num_steps):
        time = slice(i * num_steps, (i + 1) * num_steps)
        yield data_x[:, time], data_y[:, time]


class BlogModel:
    """The blog's final models, static and dynamic, with its training loop."""

    def __init__(self, num_steps: int, state_size: int, dynamic: bool) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.x = tf.placeholder(tf.int32, [BATCH_SIZE, num_steps])
            self.y = tf.placeholder(tf.int32, [BATCH_SIZE, num_steps])
            self.init_state = tf.zeros([BATCH_SIZE, state_size])
            inputs = tf.one_hot(self.x, NUM_CLASSES)
            cell = make_cell(
                ModelConfig(cell="basic_rnn", state_size=state_size), state_size, tf.float32
            )
            with tf.variable_scope("softmax"):
                W = tf.get_variable("W", [state_size, NUM_CLASSES])
                b = tf.get_variable("b", [NUM_CLASSES], initializer=tf.zeros_initializer())
            if dynamic:
                outputs, self.final_state = tf.nn.dynamic_rnn(
                    cell, inputs, initial_state=self.init_state
                )
                flat = tf.reshape(outputs, [-1, state_size])
                logits = tf.reshape(tf.matmul(flat, W) + b, [BATCH_SIZE, num_steps, NUM_CLASSES])
                self.losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=self.y, logits=logits
                )
            else:
                outputs, self.final_state = tf.nn.static_rnn(
                    cell, tf.unstack(inputs, axis=1), initial_state=self.init_state
                )
                labels = tf.unstack(self.y, num=num_steps, axis=1)
                self.losses = [
                    tf.nn.sparse_softmax_cross_entropy_with_logits(
                        labels=label, logits=tf.matmul(output, W) + b
                    )
                    for output, label in zip(outputs, labels, strict=True)
                ]
            self.total_loss = tf.reduce_mean(self.losses)
            self.train_step = tf.train.AdagradOptimizer(LEARNING_RATE).minimize(self.total_loss)
            self.initialize = tf.global_variables_initializer()
        self.session = tf.Session(graph=self.graph)
        self.session.run(self.initialize)
        self.state = np.zeros((BATCH_SIZE, state_size))

    def update(self, x: Array, y: Array) -> float:
        """One update of the blog's training loop. Returns its mean loss."""
        _, loss, self.state, _ = self.session.run(
            [self.losses, self.total_loss, self.final_state, self.train_step],
            feed_dict={self.x: x, self.y: y, self.init_state: self.state},
        )
        return float(loss)
