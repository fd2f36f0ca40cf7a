"""rnn_graphs/measures.py: accuracy with weights. (Norm and rate: test_optimizers.py.)"""

from __future__ import annotations

import numpy as np
import pytest

from rnn_graphs.measures import MEASURES, hit_rate
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import weighted_mean


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("label_dtype", [tf.int8, tf.int32])
def test_accuracy_is_the_weighted_share_of_hits(dtype: tf.DType, label_dtype: tf.DType) -> None:
    stream = np.random.default_rng(0)
    logits, labels = stream.normal(size=[7, 5, 3]), stream.integers(0, 3, [7, 5])
    weights = stream.choice([0, 0.25, 1], [7, 5])
    hits = logits.argmax(-1) == labels
    with tf.Graph().as_default(), tf.Session() as session:
        given = tf.constant(logits, dtype), tf.constant(labels, label_dtype)
        plain = session.run(hit_rate(*given, None))
        weighted = session.run(hit_rate(*given, tf.constant(weights, tf.float32)))
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


def test_every_measure_is_one_that_a_config_may_name() -> None:
    assert set(MEASURES) == {"accuracy", "gradient_norm", "learning_rate"}
