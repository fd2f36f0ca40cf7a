"""rnn_graphs/metrics.py: each entry against NumPy. (Norm and rate: test_optimizers.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_graphs.metrics import (
    METRICS,
    label_metrics,
    measured_in_graph,
    of_held_out_data,
    texts_of,
    update_metric,
    values_of,
)
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Step, Window, weighted_mean

NO_UPDATER: Any = None


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("label_dtype", [tf.int8, tf.int32])
def test_accuracy_is_the_weighted_share_of_hits(dtype: tf.DType, label_dtype: tf.DType) -> None:
    stream = np.random.default_rng(0)
    logits, labels = stream.normal(size=[7, 5, 3]), stream.integers(0, 3, [7, 5])
    weights = stream.choice([0, 0.25, 1], [7, 5])
    hits = logits.argmax(-1) == labels
    with tf.Graph().as_default(), tf.Session() as session:
        given = tf.constant(logits, dtype), tf.constant(labels, label_dtype)
        step = Step(given[0], None, None, None, [])
        window = Window(None, given[1], None, None)
        plain = session.run(update_metric("accuracy", step, window, NO_UPDATER))
        window = window._replace(weights=tf.constant(weights, tf.float32))
        weighted = session.run(update_metric("accuracy", step, window, NO_UPDATER))
        each = session.run(label_metrics(*given, "ids"))
        assert label_metrics(*given, "values") == {}
    assert list(each) == ["accuracy"]
    np.testing.assert_array_equal(each["accuracy"], hits)
    assert plain.dtype == dtype.as_numpy_dtype
    assert plain == pytest.approx(hits.mean(), abs=1e-6)
    assert weighted == pytest.approx((weights * hits).sum() / weights.sum(), abs=1e-6)
    assert plain != pytest.approx(weighted, abs=1e-3)


def test_weighted_mean_without_weights_is_the_mean() -> None:
    values = np.array([[1.0, 2.0], [4.0, 9.0]])
    with tf.Graph().as_default(), tf.Session() as session:
        given = tf.constant(values)
        assert session.run(weighted_mean(given, None)) == 4
        assert session.run(weighted_mean(given, tf.ones([2, 2]))) == 4
        assert session.run(weighted_mean(given, tf.constant([[3.0, 0], [0, 1]]))) == 3


def test_every_metric_is_measured_in_one_way() -> None:
    for name, metric in METRICS.items():
        ways = [metric.of_labels, metric.of_update, metric.of_loss]
        assert sum(way is not None for way in ways) == 1, name


def test_every_metric_has_a_tag_of_its_own() -> None:
    tags = [metric.tag for metric in METRICS.values()]
    assert len({*tags, "loss"}) == len(tags) + 1


def test_the_graph_measures_what_does_not_follow_from_the_loss() -> None:
    assert measured_in_graph(["bits", "learning_rate", "perplexity", "accuracy"]) == [
        "learning_rate", "accuracy",
    ]  # fmt: skip


def test_held_out_data_have_what_is_not_of_an_update() -> None:
    of_ids = of_held_out_data("ids")
    assert {"accuracy", "perplexity", "bits"} <= set(of_ids)
    assert not {"gradient_norm", "learning_rate"} & set(of_ids)
    assert not {"accuracy", "perplexity", "bits"} & set(of_held_out_data("values"))


@pytest.mark.parametrize("loss", [0.0, 0.661563238158, 5.0])
def test_perplexity_and_bits_follow_from_the_loss(loss: float) -> None:
    found = values_of(["perplexity", "bits"], loss, {})
    assert found["perplexity"] == pytest.approx(np.exp(loss))
    assert 2 ** found["bits"] == pytest.approx(found["perplexity"])


def test_a_loss_without_a_finite_perplexity() -> None:
    assert values_of(["perplexity"], 1e4, {}) == {"perplexity": np.inf}


def test_values_are_those_asked_for_that_there_are() -> None:
    measured = {"loss": 0.0, "accuracy": 0.5, "gradient_norm": 3.0}
    assert values_of(["learning_rate", "perplexity", "accuracy"], 0.0, measured) == {
        "perplexity": 1.0, "accuracy": 0.5,
    }  # fmt: skip


def test_texts_are_for_people() -> None:
    values = {"accuracy": 0.97123, "learning_rate": 0.001, "perplexity": 123.456, "bits": 1.5}
    assert texts_of(values) == [
        "accuracy 0.9712", "learning rate 0.001", "perplexity 123.5", "1.5000 bits",
    ]  # fmt: skip
