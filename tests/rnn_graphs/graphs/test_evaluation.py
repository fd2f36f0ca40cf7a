"""rnn_graphs/graphs/evaluation.py: the losses of training, without dropout, at any batch size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_graphs.config import GraphConfig, ModelConfig
from rnn_graphs.graphs.evaluation import build_evaluation_graph
from rnn_graphs.model import TaskShape
from rnn_graphs.tf1 import tf
from tests.graphs import FULL, SHAPE, Ran, close, draw_example, run_steps
from tests.layers_reference import Array, Example, pairs

TIME, BATCH = 6, 4
LENGTHS = np.array([6, 1, 4, 3])
DROPOUT: dict[str, Any] = {"input_keep_prob": 0.5, "state_keep_prob": 0.5, "output_keep_prob": 0.5}
FEATURES = TaskShape(3, 4, "features")


class Evaluation:
    """A graph of the model with the weights of a training step."""

    def __init__(self, config: ModelConfig, shape: TaskShape, ran: Ran, **graph_keys: Any) -> None:
        graph_config = GraphConfig(
            num_steps=2, batch_size=7, precision="float64", unroll="static", **graph_keys
        )  # a shape that has nothing to do with what is evaluated
        self.graph = build_evaluation_graph(config, graph_config, shape)
        self.session = tf.Session(graph=self.graph.graph)
        values = dict(zip(self.graph.snapshot.values.values(), ran.weights, strict=True))
        self.session.run(self.graph.snapshot.restore, values)

    def run(self, example: Example, rows: slice, time: slice, state: list[Array]) -> Any:
        """Losses, hits, probabilities and the final state's leaves, of a part of the window."""
        graph = self.graph
        lengths = LENGTHS if example.lengths is None else example.lengths
        feeds = {
            graph.inputs: example.inputs[time, rows],
            graph.labels: example.labels[time, rows],
            graph.lengths: lengths[rows],
            **dict(zip(tf.nest.flatten(graph.state), state, strict=True)),
        }
        final = tf.nest.flatten(graph.final_state)
        return self.session.run(
            (graph.losses, graph.metrics["accuracy"], graph.probabilities, final), feeds
        )


@pytest.mark.parametrize(
    ("keys", "shape"),
    [
        ({"cell": "scratch", "state_size": 4, "activation": "crelu"}, SHAPE),
        ({"cell": "gru", "state_size": (3, 2), "embedding": 2, **DROPOUT}, SHAPE),
        ({"cell": "basic_lstm", "state_size": (2, 3)}, FEATURES),
        ({"cell": "lstm", "state_size": 3, "projection": 2, "cell_clip": 0.3}, SHAPE),
    ],
    ids=str,
)
def test_losses_are_those_of_training_at_any_batch_size_and_in_any_parts(
    keys: dict[str, Any], shape: TaskShape
) -> None:
    config = ModelConfig(**keys)
    example = draw_example(0, time=TIME, batch=BATCH, shape=shape)
    ran = run_steps(config.without_dropout, example, [("scratch", FULL)], shape)
    (step,), state = ran.steps, ran.example.state
    evaluation = Evaluation(config, shape, ran)
    everything = slice(None)
    losses, hits, probabilities, final = evaluation.run(example, everything, everything, state)
    close(losses, step.losses)
    close(-np.log(np.take_along_axis(probabilities, example.labels[..., None], 2))[..., 0], losses)
    close(probabilities.sum(axis=-1), np.ones([TIME, BATCH]))
    np.testing.assert_array_equal(hits, step.logits.argmax(-1) == example.labels)
    for ours, theirs in zip(final, step.final_state, strict=True):
        close(ours, theirs)
    for rows in (slice(0, 1), slice(1, 4)):
        carried, parts = [leaf[rows] for leaf in state], []
        for time in (slice(0, 1), slice(1, 6)):
            found, _, _, carried = evaluation.run(example, rows, time, carried)
            parts.append(found)
        close(np.concatenate(parts), step.losses[:, rows])
        for ours, theirs in zip(carried, step.final_state, strict=True):
            close(ours, theirs[rows])


@pytest.mark.parametrize(
    "keys",
    [
        {"cell": "gru", "state_size": (3, 2), "output_keep_prob": 0.5},
        {"cell": "basic_lstm", "state_size": (2, 3), "bidirectional": True, "input_keep_prob": 0.5},
    ],
    ids=str,
)
def test_lengths_end_each_row_as_in_training(keys: dict[str, Any]) -> None:
    config = ModelConfig(**keys)
    example = draw_example(1, time=TIME, batch=BATCH)._replace(lengths=LENGTHS)
    ran = run_steps(config.without_dropout, example, [("scratch", FULL)])
    evaluation = Evaluation(config, SHAPE, ran, padding="sequence_length")
    for rows in (slice(None), slice(1, 3)):
        state = [leaf[rows] for leaf in ran.example.state]
        losses, *_ = evaluation.run(example, rows, slice(None), state)
        close(losses, ran.steps[0].losses[:, rows])


def test_masked_padding_is_read_to_its_end() -> None:
    """As in training: lengths are fed and not used."""
    config = ModelConfig(cell="gru", state_size=3)
    ran = run_steps(config, draw_example(2, time=TIME, batch=BATCH), [("static", FULL)])
    evaluation = Evaluation(config, SHAPE, ran, padding="mask")
    everything = slice(None)
    losses, *_ = evaluation.run(ran.example, everything, everything, ran.example.state)
    close(losses, ran.steps[0].losses)


def test_dropout_would_change_the_losses() -> None:
    """Otherwise these tests could not show that it is off."""
    config = ModelConfig(cell="gru", state_size=(3, 2), embedding=2, **DROPOUT)
    ran = run_steps(config, draw_example(0), [("scratch", FULL)])
    without = pairs(config, ran.weights, ran.example._replace(masks=())).losses
    assert not np.isclose(ran.steps[0].losses, without, rtol=0, atol=1e-9).all()


def test_the_first_state_is_that_of_the_cell_for_any_batch_size() -> None:
    config = ModelConfig(cell="basic_lstm", state_size=(2, 3))
    graph_config = GraphConfig(unroll="static", num_steps=2, batch_size=7, precision="float32")
    graph = build_evaluation_graph(config, graph_config, SHAPE)
    with tf.Session(graph=graph.graph) as session:
        for batch in (1, 5):
            leaves = tf.nest.flatten(
                session.run(graph.first_state, {graph.batch_size: batch})
            )  # fmt: skip
            assert [leaf.shape for leaf in leaves] == [(batch, size) for size in (2, 2, 3, 3)]
            assert not any(leaf.any() for leaf in leaves)
