"""The optimizers of `tf.compat.v1.train`, with clipping and learning rate decay.

TensorFlow makes a float32 tensor of a Python number, and casts it to the type of the weights only
then. Hyperparameters are therefore constants of the weights' own type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.config import OptimizerConfig
from rnn_graphs.tf1 import tf

Tensor = Any


class Updater:
    """Applies gradients to variables. Its own variables are created here, outside any loop."""

    def __init__(self, config: OptimizerConfig, variables: list[Any]) -> None:
        self._config = config
        self._variables = variables
        self._dtype = variables[0].dtype.base_dtype
        self._updates = None
        if config.decay_rate is not None:
            zero = tf.zeros_initializer()
            self._updates = tf.get_variable("updates", [], tf.int64, zero, trainable=False)
        self._optimizer = make_optimizer(config, self.learning_rate, self._dtype)
        # Creates the slots, which is impossible in the body of a loop. Never run.
        self._optimizer.apply_gradients([(tf.zeros_like(v), v) for v in variables])

    def learning_rate(self) -> Tensor:
        """The rate of the next update: learning_rate · decay_rate^(updates / decay_steps)."""
        first = tf.constant(self._config.learning_rate, self._dtype)
        if self._updates is None:
            return first
        decay = tf.constant(self._config.decay_rate, self._dtype)
        return tf.train.exponential_decay(
            first, self._updates, self._config.decay_steps, decay, self._config.staircase
        )

    def apply(self, gradients: list[Tensor]) -> tf.Operation:
        """One update. Gradients are clipped by their global norm if `clip_norm` is set.

        Source of clipping: Pascanu, Mikolov & Bengio 2013, algorithm 1.
        """
        if self._config.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._config.clip_norm)
        pairs = zip(gradients, self._variables, strict=True)
        return self._optimizer.apply_gradients(pairs, self._updates)


def make_optimizer(
    config: OptimizerConfig, rate: Callable[[], Tensor], dtype: tf.DType
) -> tf.train.Optimizer:
    """The config's optimizer of weights of type `dtype`, which calls `rate` at every update."""

    def value(key: str) -> Callable[[], Tensor]:
        # A function, so that the constant is made inside the loop, where XLA can fold it.
        return lambda: tf.constant(config.value(key), dtype)

    match config.kind:
        case "sgd":
            return tf.train.GradientDescentOptimizer(rate)
        case "momentum":
            return tf.train.MomentumOptimizer(rate, value("momentum"))
        case "adagrad":
            return tf.train.AdagradOptimizer(rate, config.value("initial_accumulator"))
        case "adam":
            return tf.train.AdamOptimizer(rate, value("beta1"), value("beta2"), value("epsilon"))
        case "rmsprop":
            return tf.train.RMSPropOptimizer(
                rate, value("decay"), value("momentum"), value("epsilon")
            )
