"""The head of pairs of texts, by the cosine of their vectors.

Rows 2i and 2i + 1 of a batch are the two texts of pair i, read by the same layers:

    row 0: heading    ── layers ──> Σ_t outputs = u ┐
                                                     cos(u, v) ──> logit of "they match"
    row 1: paragraph  ── layers ──> Σ_t outputs = v ┘

A text's vector is the sum of its outputs. A mean would differ by a factor alone, which no cosine
sees. Outputs past the end of a row must be zeros, as `sequence_length` makes them. Source of the
shape: Mueller & Thyagarajan 2016, "Siamese Recurrent Architectures"; of the sum over outputs: Tan
et al. 2016, "LSTM-based Deep Learning Models for Non-factoid Answer Selection".
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.tf1 import tf

Tensor = Any
FIRST_GAIN = 5.0  # a cosine is at most 1, too little for a logit
TINIEST = 1e-12  # of a squared norm: a text whose outputs are all dropped has the cosine 0


class PairHead:
    """Two classes, from gain · cosine + bias; losses are cross-entropies in nats.

    Each step of both rows of a pair has the pair's logits; the weights of the losses choose one.
    """

    def __init__(self, _output_size: int, _num_classes: int, dtype: tf.DType) -> None:
        with tf.variable_scope("pairs"):
            first = tf.constant_initializer(FIRST_GAIN)
            self.gain = tf.get_variable("gain", [], dtype, first)
            self.b = tf.get_variable("b", [], dtype, tf.zeros_initializer())

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, 2]; the first is 0."""
        cosine = cosines(outputs)
        above = self.gain * tf.reshape(tf.stack([cosine, cosine], 1), [-1]) + self.b
        of_rows = tf.stack([tf.zeros_like(above), above], -1)
        time = tf.ones_like(outputs[:, :1, :1])
        return time * of_rows

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """[time, batch]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(labels, tf.int32), logits=logits
        )


def cosines(outputs: Tensor) -> Tensor:
    """The cosine of each pair, [batch / 2], from outputs [time, batch, output_size]."""
    vectors = tf.nn.l2_normalize(tf.reduce_sum(outputs, 0), -1, TINIEST)
    return tf.reduce_sum(vectors[0::2] * vectors[1::2], -1)
