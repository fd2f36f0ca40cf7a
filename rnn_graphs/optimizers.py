"""The optimizers of `tf.compat.v1.train`, by config."""

from __future__ import annotations

from rnn_graphs.config import OptimizerConfig
from rnn_graphs.tf1 import tf


def make_optimizer(config: OptimizerConfig) -> tf.train.Optimizer:
    """The optimizer that the config names."""
    rate, value = config.learning_rate, config.value
    match config.kind:
        case "sgd":
            return tf.train.GradientDescentOptimizer(rate)
        case "momentum":
            return tf.train.MomentumOptimizer(rate, value("momentum"))
        case "adagrad":
            return tf.train.AdagradOptimizer(rate, value("initial_accumulator"))
        case "adam":
            return tf.train.AdamOptimizer(rate, value("beta1"), value("beta2"), value("epsilon"))
        case "rmsprop":
            return tf.train.RMSPropOptimizer(
                rate, value("decay"), value("momentum"), value("epsilon")
            )
