"""TensorFlow 2 as it comes: the loss of an LSTM, run eagerly, and its gradients by a tape.

`python eager_lstm.py FILE.npz` reads weights, state, ids and labels, and adds loss and gradients.
It runs in a process of its own, because this project works in graph mode.
"""

import sys
from typing import Any

import numpy as np
import tensorflow as tf


def main(path: str) -> None:
    given = dict(np.load(path))
    names = ["embedding", "kernel", "bias", "W", "b"]
    variables = [tf.Variable(given[name]) for name in names]
    assert tf.executing_eagerly()
    with tf.GradientTape() as tape:
        loss = mean_loss(variables, given)
    gradients = tape.gradient(loss, variables)
    found = {
        f"gradient_{number}": tf.convert_to_tensor(one) for number, one in enumerate(gradients)
    }
    np.savez(path, loss=loss, **found)


def mean_loss(variables: list[Any], given: dict[str, Any]) -> Any:
    """As TensorFlow 1's LSTMCell: gates i, j, f, o, and a forget bias of 1."""
    embedding, kernel, bias, W, b = variables
    c, h, losses = given["c"], given["h"], []
    for ids, labels in zip(given["ids"], given["labels"], strict=True):
        z = tf.concat([tf.gather(embedding, ids), h], 1) @ kernel + bias
        i, j, f, o = tf.split(z, 4, 1)
        c = tf.sigmoid(f + 1) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, h @ W + b))
    return tf.reduce_mean(tf.stack(losses))


if __name__ == "__main__":
    main(sys.argv[1])
