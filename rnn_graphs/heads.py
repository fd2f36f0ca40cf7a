"""Heads, which turn outputs into losses."""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells.influence_balancing import FirstUnitHead
from rnn_graphs.matching import PairHead
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


class TwoClassHead(SoftmaxHead):
    """A softmax over two classes, as the logistic function of the difference of their logits.

    The variables, losses and gradients are the same, but one column is computed instead of two. It
    is for XLA.
    """

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, 2]; the first is 0."""
        column, bias = self.W[:, 1] - self.W[:, 0], self.b[1] - self.b[0]
        above = self._product(outputs, column) + bias
        return tf.stack([tf.zeros_like(above), above], -1)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """[time, batch]."""
        return tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.cast(labels, logits.dtype), logits=logits[..., 1] - logits[..., 0]
        )

    def _product(self, outputs: Tensor, column: Tensor) -> Tensor:
        return tf.linalg.matvec(outputs, column)


class TwoClassHeadByStep(TwoClassHead):
    """The same, with one product for each time step of an unrolled graph.

    XLA would fuse a single product of all steps with the code that collects its rows from the
    copies of the cell, into a slower loop.
    """

    def _product(self, outputs: Tensor, column: Tensor) -> Tensor:
        return tf.stack([tf.linalg.matvec(output, column) for output in tf.unstack(outputs)])


def head_class(
    labels: str, num_classes: int, xla: bool, in_loop: bool
) -> type[SoftmaxHead] | type[FirstUnitHead] | type[PairHead]:
    """The head for labels that are "ids", "values" or "pairs".

    `xla`: whether XLA compiles the graph; `in_loop`: whether the cell is in a while loop.
    """
    if labels == "values":
        return FirstUnitHead
    if labels == "pairs":
        return PairHead
    if not xla or num_classes != 2:
        return SoftmaxHead
    return TwoClassHead if in_loop else TwoClassHeadByStep
