"""Heads: from outputs to losses."""

from __future__ import annotations

from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any


class SoftmaxHead:
    """A softmax over classes; losses are cross-entropies in nats."""

    def __init__(self, output_size: int, num_classes: int, dtype: tf.DType) -> None:
        with tf.variable_scope("softmax"):
            zeros = tf.zeros_initializer()
            self.W = tf.get_variable("W", [output_size, num_classes], dtype, zeros)
            self.b = tf.get_variable("b", [num_classes], dtype, zeros)

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, num_classes], as one matrix product."""
        return tf.tensordot(outputs, self.W, 1) + self.b

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """[time, batch]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(labels, tf.int32), logits=logits
        )


class FirstUnitHead:
    """The first unit of the outputs against a value: ½(o_1 − y)², with nothing to learn.

    Source: Tallec & Ollivier 2017, section 4.1, the loss of influence balancing.
    """

    def __init__(self, _output_size: int, _num_classes: int, dtype: tf.DType) -> None:
        self._dtype = dtype

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, 1]."""
        return outputs[..., :1]

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """[time, batch]."""
        return 0.5 * tf.square(logits[..., 0] - tf.cast(labels, self._dtype))
