"""The head of pairs: its losses and gradients in NumPy, and dropout before a cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.training.evaluator import Evaluator
from experiments.training.workload import make_workload
from rnn_graphs.cells.dropout import MaskSpec, draw_masks
from rnn_graphs.matching import PairHead, cosines
from rnn_graphs.tf1 import tf

Array = NDArray[np.float64]


def reference(outputs: Array, labels: Array, gain: float, bias: float) -> tuple[Array, Array]:
    """Losses [pairs], and the gradient of their mean by the outputs, written out by hand."""
    vectors = outputs.sum(0)
    u, v = vectors[0::2], vectors[1::2]
    lengths = np.linalg.norm(u, axis=1, keepdims=True), np.linalg.norm(v, axis=1, keepdims=True)
    cosine = (u * v).sum(1, keepdims=True) / (lengths[0] * lengths[1])
    chance = 1 / (1 + np.exp(-(gain * cosine + bias)))
    losses = -np.log(np.where(labels[:, None] == 1, chance, 1 - chance))
    error = gain * (chance - labels[:, None]) / len(labels)  # of each cosine
    by_u = error * (v / (lengths[0] * lengths[1]) - cosine * u / lengths[0] ** 2)
    by_v = error * (u / (lengths[0] * lengths[1]) - cosine * v / lengths[1] ** 2)
    by_vectors = np.stack([by_u, by_v], 1).reshape(vectors.shape)
    return losses[:, 0], np.broadcast_to(by_vectors, outputs.shape)


def test_losses_and_gradients_are_numpys() -> None:
    stream = np.random.default_rng(5)
    outputs = stream.normal(size=[4, 6, 3])
    outputs[2:, 1] = outputs[3:, 4] = 0  # past the end of two texts
    classes = np.array([1, 0, 1])
    labels = np.zeros([4, 6], np.int32)
    weights = np.zeros([4, 6])
    ends = np.array([3, 1, 3, 3, 2, 3])
    labels[ends, range(6)] = np.repeat(classes, 2)
    weights[ends, range(6)] = 1
    with tf.Graph().as_default(), tf.Session() as session:
        head = PairHead(3, 2, tf.float64)
        given = tf.constant(outputs)
        logits = head.logits(given)
        losses = head.losses(logits, tf.constant(labels))
        mean = tf.reduce_sum(losses * weights) / weights.sum()
        fetches = (logits, losses, tf.gradients(mean, given)[0])
        session.run([head.gain.assign(3.0), head.b.assign(-0.4)])
        found, of_steps, by_outputs = session.run(fetches)
    expected, gradient = reference(outputs, classes, 3.0, -0.4)
    assert found.shape == (4, 6, 2)
    np.testing.assert_allclose(of_steps[ends, range(6)], np.repeat(expected, 2), rtol=1e-12)
    np.testing.assert_allclose(by_outputs, gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("keep_prob", "steps", "mask"), [(0.5, 1, "step"), (0.5, 20, "sequence"), (0.5, 20, "step"),
                                     (0.8, 5, "step")]
)  # fmt: skip
def test_dropout_lowers_the_cosine_of_equal_texts(keep_prob: float, steps: int, mask: str) -> None:
    """Both texts have the same outputs, all 1. Each loses units of its own.

    One mask for all steps: the vectors share p of what each keeps, so that the cosine is p. New
    masks at each step average out over T steps: 1 / (1 + (1 − p) / (p T)).
    """
    units = 20_000
    drawn = 1 if mask == "sequence" else steps
    with tf.Graph().as_default(), tf.Session() as session:
        spec = MaskSpec("output", keep_prob, units)
        ((masks,),) = draw_masks([[spec]], drawn, 2, tf.constant([3, 4]), tf.float64)
        outputs = tf.ones([steps, 2, units], tf.float64) * masks
        (found,) = session.run(cosines(outputs))
    independent = 1 if mask == "sequence" else steps
    expected = 1 / (1 + (1 - keep_prob) / (keep_prob * independent))
    assert found == pytest.approx(expected, abs=0.02)


def test_a_text_without_outputs_has_no_gradient_that_is_not_a_number() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = tf.constant(np.stack([np.zeros([2, 3]), np.ones([2, 3])], 1))
        cosine = cosines(outputs)
        found: Any = session.run((cosine, tf.gradients(cosine, outputs)[0]))
    assert found[0] == 0
    assert np.isfinite(found[1]).all()


def test_an_evaluation_does_not_depend_on_how_pairs_share_batches() -> None:
    keys = ["model.state_size=4", "model.embedding=4", "graph.precision=float64"]
    config = load_config("matching", keys)
    task = make_workload(config).task
    drawn = task.evaluation("valid", np.random.RandomState(0))
    with Evaluator(config, task) as evaluator:
        stream = np.random.default_rng(2)
        values = {
            name: stream.normal(0, 0.5, place.shape)
            for name, place in evaluator._snapshot.values.items()
        }
        evaluator.restore(values)
        found = [evaluator.evaluate(drawn, size) for size in (64, 10)]
    assert found[0].loss == pytest.approx(found[1].loss, rel=1e-12)
    assert found[0].metrics["accuracy"] == found[1].metrics["accuracy"]
    assert found[0].time_steps == len(drawn.inputs)
    assert abs(found[0].metrics["accuracy"] - 0.5) < 0.2  # an untrained model knows nothing


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("graph.batch_size=33",), "graph.batch_size: the two texts of a pair are rows of one"),
        (
            ("graph.padding=mask", "model.bidirectional=false"),
            "graph.padding: matching adds up all outputs of a text",
        ),
        (
            ("model.bidirectional=false", "truncation.kind=true_bptt", "truncation.depth=5"),
            "truncation.kind: the loss of matching depends on all outputs of a text",
        ),
        (("graph.buckets=3",), "graph.buckets: the two texts of a pair of matching share a batch"),
        (("logging.metrics=[perplexity]",), "perplexity is for labels that are ids"),
    ],
)
def test_what_a_pair_cannot_have_is_refused(keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_workload(load_config("matching", keys))
