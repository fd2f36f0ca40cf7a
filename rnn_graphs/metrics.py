"""All metrics, one entry each. To add a metric, add an entry to METRICS.

The loss is always measured. A metric is another number, which `logging.metrics` may name. The
config check, metrics.csv, TensorBoard and the printed lines all read this table. It imports no
TensorFlow, because configs are checked without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from rnn_graphs.optimizers import Updater
    from rnn_graphs.truncation.step import Step, Window

Tensor = Any
Labels = Literal["ids", "values", "pairs"]


class Metric(NamedTuple):
    """One metric, with exactly one of `of_labels`, `of_update` and `of_loss`."""

    text: str  # format of the value in a printed line
    tag: str  # on TensorBoard, followed by /train or /valid
    labels: tuple[Labels, ...] = ("ids", "values", "pairs")  # for which it is defined
    # (logits [time, batch, classes], labels [time, batch]) → [time, batch]; the metric is their
    # weighted mean, as for the loss. For training and held-out data.
    of_labels: Callable[[Tensor, Tensor], Tensor] | None = None
    # A scalar of each update, so for training only.
    of_update: Callable[[Step, Window, Updater], Tensor] | None = None
    # The mean loss, nats per time step → the metric.
    of_loss: Callable[[float], float] | None = None
    higher_is_better: bool = False  # how `compare --by` ranks
    highest: float = math.inf  # the greatest possible value, which no interval exceeds


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the label is the likeliest class."""
    from rnn_graphs.tf1 import tf

    return tf.equal(tf.argmax(logits, -1, output_type=tf.int32), tf.cast(labels, tf.int32))


def _gradient_norm(step: Step, _window: Window, _updater: Updater) -> Tensor:
    """The global norm of the gradients before clipping."""
    from rnn_graphs.tf1 import tf

    return tf.linalg.global_norm(step.gradients)


def _learning_rate(_step: Step, _window: Window, updater: Updater) -> Tensor:
    """The learning rate of this update."""
    return updater.learning_rate()


def _depth(step: Step, _window: Window, _updater: Updater) -> Tensor:
    """The depth K that a style chose for this epoch."""
    return step.depth


def _perplexity(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf  # where exp overflows


def _bits(loss: float) -> float:
    """Bits per time step, which is per character if time steps are characters."""
    return loss / math.log(2)


# The columns of metrics.csv have this order: add new entries at the end.
METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        "accuracy {:.4f}",
        "accuracy",
        labels=("ids", "pairs"),
        of_labels=_accuracy,
        higher_is_better=True,
        highest=1,
    ),
    "gradient_norm": Metric("gradient norm {:.4g}", "gradient_norm", of_update=_gradient_norm),
    "learning_rate": Metric("learning rate {:.4g}", "learning_rate", of_update=_learning_rate),
    "perplexity": Metric("perplexity {:.4g}", "perplexity", labels=("ids",), of_loss=_perplexity),
    "bits": Metric("{:.4f} bits", "bits", labels=("ids",), of_loss=_bits),
    "chosen_depth": Metric("depth {:.3g}", "chosen_depth", of_update=_depth),
}


def measured_in_graph(names: Iterable[str]) -> list[str]:
    """The `names` that the training graph measures; the others follow from the loss."""
    return [name for name in names if METRICS[name].of_loss is None]


def of_held_out_data(labels: Labels) -> list[str]:
    """The metrics of held-out data that are defined for these labels."""
    return [
        name
        for name, metric in METRICS.items()
        if metric.of_update is None and labels in metric.labels
    ]


def label_metrics(logits: Tensor, labels: Tensor, kind: Labels) -> dict[str, Tensor]:
    """The values of each metric that is a mean over labels, before the mean, [time, batch]."""
    return {
        name: metric.of_labels(logits, labels)
        for name, metric in METRICS.items()
        if metric.of_labels and kind in metric.labels
    }


def update_metric(name: str, step: Step, window: Window, updater: Updater) -> Tensor:
    """A metric of one update, as a scalar. `name` must be one that the graph measures."""
    metric = METRICS[name]
    if metric.of_update:
        return metric.of_update(step, window, updater)
    assert metric.of_labels, f"{name} follows from the loss"
    from rnn_graphs.tf1 import tf
    from rnn_graphs.truncation.step import weighted_mean

    values = metric.of_labels(step.logits, window.labels)
    return weighted_mean(tf.cast(values, step.logits.dtype), window.weights)


def values_of(names: Iterable[str], loss: float, measured: Mapping[str, float]) -> dict[str, float]:
    """The values of `names` that were measured or follow from the loss (nats per time step)."""
    values = {}
    for name in names:
        of_loss = METRICS[name].of_loss
        if of_loss:
            values[name] = of_loss(loss)
        elif name in measured:
            values[name] = measured[name]
    return values


def texts_of(values: Mapping[str, float]) -> list[str]:
    """Metrics as text, such as "accuracy 0.9712"."""
    return [METRICS[name].text.format(value) for name, value in values.items()]
