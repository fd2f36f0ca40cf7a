"""Training steps of small float64 graphs, compared with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.adaptive import largest_depth
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.step import Step, Window, make_step
from tests.layers_reference import Array, Example, gradient, mean_loss, pairs

ALL_UNROLLS: tuple[Unroll, ...] = ("scratch", "static", "dynamic")
FULL = TruncationConfig(kind="full")
SHAPE = TaskShape(3, 2)
TOLERANCE = 1e-10

Way = tuple[Unroll, TruncationConfig]


class Ran(NamedTuple):
    """The results of graphs, and everything that the reference needs to repeat them."""

    weights: list[Array]  # in the order of the model's variables
    example: Example  # with the state and the masks that the graphs used
    steps: list[Step]  # values, one for each way; final states as lists of leaves


def draw_example(
    seed: int, *, time: int = 5, batch: int = 3, context: int = 0, shape: TaskShape = SHAPE
) -> Example:
    """Inputs and labels from a seed; the state is drawn where its parts are known."""
    stream = np.random.default_rng(seed)
    size = [context + time, batch]
    inputs: Array
    if shape.inputs == "features":
        # Numbers that are the same in float32, which features are fed as.
        inputs = stream.integers(-64, 65, [*size, shape.num_inputs]) / 32
    else:
        inputs = stream.integers(0, shape.num_inputs, size)
    return Example(inputs, stream.integers(0, shape.num_classes, [time, batch]), [])


def run_steps(
    config: ModelConfig,
    example: Example,
    ways: Sequence[Way],
    shape: TaskShape = SHAPE,
    key: Sequence[int] = (0, 0),
    xla: bool = False,
) -> Ran:
    """One step for each way to unroll and truncate, all with the same weights and state.

    Weights and state are drawn; masks are those of the key; xla: as it is written for XLA.
    """
    (ran,) = run_each(config, [example], ways, shape, key, xla)
    return ran


def run_each(
    config: ModelConfig,
    examples: Sequence[Example],
    ways: Sequence[Way],
    shape: TaskShape = SHAPE,
    key: Sequence[int] = (0, 0),
    xla: bool = False,
) -> list[Ran]:
    """The steps of several examples of one kind, by the same graph."""
    stream = np.random.default_rng(7)
    first = examples[0]
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(config, shape, tf.float64, xla)
        nested = model.zero_state(first.labels.shape[1])
        leaves = [stream.uniform(-1, 1, leaf.shape.as_list()) for leaf in tf.nest.flatten(nested)]
        features = shape.inputs == "features"
        window = Window(
            tf.placeholder(tf.float64 if features else tf.int32, first.inputs.shape),
            tf.placeholder(tf.int32, first.labels.shape),
            tf.nest.pack_sequence_as(nested, [tf.constant(leaf) for leaf in leaves]),
            tf.constant(key),
            None if first.weights is None else tf.placeholder(tf.float32, first.weights.shape),
            None if first.lengths is None else tf.placeholder(tf.int32, first.lengths.shape),
        )
        steps = [
            make_step(model, model.unrolls[unroll], truncation)(at_its_depth(window, truncation))
            for unroll, truncation in ways
        ]
        flat = [one._replace(final_state=tf.nest.flatten(one.final_state)) for one in steps]
        masks = model.encode(window.inputs, window.key)[1] if drops(config) else ()
        snapshot = make_snapshot(model.variables)
        weights = [stream.normal(0, 0.5, one.shape) for one in snapshot.values.values()]
        session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))
        found = []
        for example in examples:
            feeds = {
                getattr(window, name): getattr(example, name)
                for name in ("inputs", "labels", "weights", "lengths")
                if getattr(window, name) is not None
            }
            values, kept = session.run((flat, masks), feeds)
            named = [dict(zip(drops(config), layer, strict=True)) for layer in kept]
            found.append(Ran(weights, example._replace(state=leaves, masks=named), values))
    return found


def at_its_depth(window: Window, truncation: TruncationConfig) -> Window:
    """With the choice of the largest depth, if the style chooses one."""
    if not truncation.chooses:
        return window
    chosen = largest_depth(truncation, int(window.labels.shape[0]))
    return window._replace(influence=chosen)


def drops(config: ModelConfig) -> list[str]:
    """Where dropout is on."""
    keeps = {
        "input": config.input_keep_prob,
        "state": config.state_keep_prob,
        "output": config.output_keep_prob,
    }
    return [place for place, keep in keeps.items() if keep < 1]


def assert_is_reference(config: ModelConfig, ran: Ran, ways: Sequence[Way]) -> None:
    """Losses, their mean, the gradient of every variable, and the state to carry."""
    num_steps = len(ran.example.labels)
    found = pairs(config, ran.weights, ran.example)
    for (unroll, truncation), step in zip(ways, ran.steps, strict=True):
        where = f"{unroll} {truncation}"
        close(step.losses, found.losses, where)
        close(step.loss, mean_loss(found.losses, ran.example.weights), where)
        credit = definition(truncation, num_steps)
        if config.bidirectional:
            credit = np.ones_like(credit)  # errors go both ways
        expected = gradient(found, credit, ran.example.weights)
        assert len(step.gradients) == len(expected)
        for index, (ours, theirs) in enumerate(zip(step.gradients, expected, strict=True)):
            close(ours, theirs, f"{where} variable {index}")
        # What is carried after context is an earlier state; rows with an end carry nothing.
        if not truncation.context_steps and ran.example.lengths is None:
            assert len(step.final_state) == len(found.final_state)
            for ours, theirs in zip(step.final_state, found.final_state, strict=True):
                close(ours, theirs, where)


def close(found: Any, expected: Any, where: str = "") -> None:
    """Equal except for rounding."""
    assert np.shape(found) == np.shape(expected), where
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE, err_msg=where)
