"""Updates of batches that are padded to different lengths, in one graph.

A batch of examples needs no more time steps than its longest one has. The graph holds the update
once for each padded length; the loop takes the one of the batch's bucket. Steps that are left out
are padding in every row: their losses have no weight, so loss and gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rnn_graphs.loops import Carried, Updated, UpdateFunction
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window

Tensor = Any


def by_bucket(update: UpdateFunction, padded: Sequence[int]) -> UpdateFunction:
    """`update` on the first `padded[window.bucket]` time steps of a window that starts anew."""

    def branch(window: Window, length: int) -> Callable[[], dict[str, Tensor]]:
        def updated() -> dict[str, Tensor]:
            result = update(_first_steps(window, length))
            with tf.control_dependencies([result.operation]):
                return {name: tf.identity(value) for name, value in result.metrics.items()}

        return updated

    def update_of_bucket(window: Window) -> Updated:
        metrics = tf.switch_case(window.bucket, [branch(window, length) for length in padded])
        # Examples carry nothing: the state of the next window is the first one again.
        carried = Carried(window.state, window.influence)
        return Updated(metrics, carried, tf.group(*metrics.values()))

    return update_of_bucket


def _first_steps(window: Window, length: int) -> Window:
    def cut(part: Tensor | None) -> Tensor | None:
        return None if part is None else part[:length]

    return window._replace(
        inputs=cut(window.inputs),
        labels=cut(window.labels),
        weights=cut(window.weights),
        bucket=None,
    )
