"""A model: the cell, the encoding of its inputs and the head, on one set of variables."""

from __future__ import annotations

from typing import Any

from rnn_graphs.cells import make_cell
from rnn_graphs.config import ModelConfig
from rnn_graphs.tf1 import tf

Tensor = Any


class Model:
    """x one-hot → cell → softmax over classes.

    All variables are created here, in one fixed order and outside of any loop: a
    variable cannot be created inside the body of `tf.while_loop`.
    """

    def __init__(
        self, config: ModelConfig, num_inputs: int, num_classes: int, dtype: tf.DType
    ) -> None:
        self.num_inputs = num_inputs
        self.dtype = dtype
        with tf.variable_scope("model"):
            self.cell = make_cell(config, dtype)
            create_variables(self.cell, num_inputs, dtype)
            with tf.variable_scope("softmax"):
                shape = [self.cell.output_size, num_classes]
                self.W = tf.get_variable("W", shape, dtype, tf.zeros_initializer())
                self.b = tf.get_variable("b", [num_classes], dtype, tf.zeros_initializer())
        self.variables = tf.trainable_variables("model")

    def zero_state(self, batch_size: int) -> Tensor:
        """A state of zeros, [batch, state_size], nested as the cell's state is."""
        return self.cell.zero_state(batch_size, self.dtype)

    def encode(self, ids: Tensor) -> Tensor:
        """ids [time, batch] → one-hot inputs [time, batch, num_inputs]."""
        return tf.one_hot(tf.cast(ids, tf.int32), self.num_inputs, dtype=self.dtype)

    def losses(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy in nats, [time, batch], of outputs [time, batch, output_size]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(labels, tf.int32), logits=self.logits(outputs)
        )

    def logits(self, outputs: Tensor) -> Tensor:
        """[time, batch, output_size] → [time, batch, num_classes], as one matrix product."""
        return tf.tensordot(outputs, self.W, 1) + self.b


def create_variables(cell: Any, input_depth: int, dtype: tf.DType) -> None:
    """Call a cell for what it keeps of its calls; the results are not used.

    The first call creates the variables. The second one creates the scope in which all
    later calls reuse them, which remembers the graph it was made in: were that the body
    of a loop, a call outside of the loop would land inside.
    """
    for _ in range(2):
        cell(tf.zeros([1, input_depth], dtype), cell.zero_state(1, dtype))
