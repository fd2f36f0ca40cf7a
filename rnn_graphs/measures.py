"""What is measured of every update beside its loss; each is one scalar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.optimizers import Updater
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Step, Window, weighted_mean

Tensor = Any


def accuracy(step: Step, window: Window, _updater: Updater) -> Tensor:
    """The share of labels that are the likeliest class, by the window's weights."""
    return hit_rate(step.logits, window.labels, window.weights)


def gradient_norm(step: Step, _window: Window, _updater: Updater) -> Tensor:
    """The global norm of the gradients, before they are clipped."""
    return tf.linalg.global_norm(step.gradients)


def learning_rate(_step: Step, _window: Window, updater: Updater) -> Tensor:
    """The rate of this update."""
    return updater.learning_rate()


def hit_rate(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """The weighted share of labels [time, batch] that are the argmax of [time, batch, classes]."""
    hits = tf.equal(tf.argmax(logits, -1, output_type=tf.int32), tf.cast(labels, tf.int32))
    return weighted_mean(tf.cast(hits, logits.dtype), weights)


MEASURES: dict[str, Callable[[Step, Window, Updater], Tensor]] = {
    "accuracy": accuracy,
    "gradient_norm": gradient_norm,
    "learning_rate": learning_rate,
}
