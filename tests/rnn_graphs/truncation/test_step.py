"""Every style: its gradient against NumPy, its credit matrix against the definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import build_credit_graph, definition
from rnn_graphs.truncation.step import Step, Window, gated, make_step
from rnn_graphs.unrolls import UNROLLS
from tests.numpy_reference import Weights, draw_weights, train_step

ALL_UNROLLS = ("scratch", "static", "dynamic")


def measured(unroll: str, truncation: TruncationConfig, num_steps: int) -> NDArray[np.float64]:
    """The credit matrix of a graph, a row a run."""
    credit = build_credit_graph(unroll, truncation, num_steps)
    with tf.Session(graph=credit.graph) as session:
        session.run(credit.initialize)
        rows = []
        for t in range(num_steps):
            labels = (np.arange(num_steps) == t)[:, None]
            rows.append(session.run(credit.row, {credit.labels: labels, credit.key: [0, 0]}))
    return np.array(rows)


def styles(num_steps: int) -> list[dict[str, Any]]:
    """Every kind, depth and stride that a window of num_steps takes, deeper than it included."""
    depths = range(1, num_steps + 3)
    found: list[dict[str, Any]] = [{"kind": "full"}, {"kind": "tf_style"}]
    found += [{"kind": "tf_style", "depth": d} for d in depths if num_steps % d == 0]
    for context in (False, True):
        found += [{"kind": "true_bptt", "depth": d, "context": context} for d in depths]
        found += [
            {"kind": "williams_peng", "depth": d, "stride": s, "context": context}
            for d, s in itertools.product(depths, depths)
            if num_steps % s == 0 and d % s == 0
        ]
    return found


class TestCreditMatrix:
    @pytest.mark.parametrize("unroll", ALL_UNROLLS)
    @pytest.mark.parametrize("style", styles(4), ids=str)
    def test_measured_is_the_definition(self, unroll: str, style: dict[str, Any]) -> None:
        truncation = TruncationConfig(**style)
        np.testing.assert_array_equal(measured(unroll, truncation, 4), definition(truncation, 4))

    @pytest.mark.slow
    @pytest.mark.parametrize("unroll", ALL_UNROLLS)
    @pytest.mark.parametrize("num_steps", range(1, 13))
    def test_measured_is_the_definition_up_to_12_steps(self, unroll: str, num_steps: int) -> None:
        for style in styles(num_steps):
            truncation = TruncationConfig(**style)
            np.testing.assert_array_equal(
                measured(unroll, truncation, num_steps),
                definition(truncation, num_steps),
                str(style),
            )

    @pytest.mark.parametrize("unroll", ["scratch", "static"])
    @pytest.mark.parametrize(("depth", "num_steps"), [(8, 16), (10, 20), (9, 18)])
    def test_blocks_that_are_built_of_pieces(self, unroll: str, depth: int, num_steps: int) -> None:
        """Two blocks, of two pieces of 4 steps, two of 5, one of 9."""
        for kind in ("tf_style", "true_bptt"):
            truncation = TruncationConfig(kind=kind, depth=depth)
            np.testing.assert_array_equal(
                measured(unroll, truncation, num_steps), definition(truncation, num_steps)
            )

    def test_of_49_errors_43_reach_back_7_steps_in_true_bptt_and_7_in_tf_style(self) -> None:
        true = measured("static", TruncationConfig(kind="true_bptt", depth=7), 49)
        blocks = measured("static", TruncationConfig(kind="tf_style", depth=7), 49)
        assert int((true.sum(axis=1) == 7).sum()) == 43
        assert int((blocks.sum(axis=1) == 7).sum()) == 7

    def test_definitions_differ_between_the_styles(self) -> None:
        kinds = [
            TruncationConfig(kind="full"),
            TruncationConfig(kind="tf_style", depth=3),
            TruncationConfig(kind="true_bptt", depth=3),
            TruncationConfig(kind="williams_peng", depth=4, stride=2),
        ]
        matrices = {definition(kind, 6).tobytes() for kind in kinds}
        assert len(matrices) == len(kinds)


class TestArtbp:
    @pytest.mark.parametrize("unroll", [*ALL_UNROLLS, "scan"])
    def test_mean_over_all_cut_patterns_is_full(self, unroll: str) -> None:
        """Each row of the batch takes one pattern; its loss counts by the pattern's probability."""
        num_steps, chance = 6, 0.3
        patterns = np.array(list(itertools.product((0, 1), repeat=num_steps)))  # 1: passes
        chances = np.where(patterns == 1, 1 - chance, chance).prod(axis=1)
        weights = draw_weights(np.random.default_rng(0), 2, 3, 2)
        stream = np.random.default_rng(1)
        inputs, labels = stream.integers(0, 2, [2, num_steps, 1])
        state = stream.uniform(-1, 1, [1, 3])
        gates = patterns.T / (1 - chance)
        total = [np.zeros_like(weight) for weight in weights]
        with tf.Graph().as_default(), tf.Session() as session:
            model = make_model(3)
            gate = tf.placeholder(tf.float64, [num_steps, 1])
            step = gated(model, UNROLLS[unroll], constant_window(inputs, labels, state), gate)
            restore(session, model, weights)
            for pattern, weight in zip(gates.T, chances, strict=True):
                found = session.run(step.gradients, {gate: pattern[:, None]})
                total = [a + weight * b for a, b in zip(total, found, strict=True)]
        expected = train_step(weights, inputs, labels, state).gradients
        for ours, theirs in zip(total, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)

    def test_key_decides_the_cuts(self) -> None:
        truncation = TruncationConfig(kind="artbp", cut_probability=0.5)
        credit = build_credit_graph("static", truncation, 6)
        labels = (np.arange(6) == 5)[:, None]
        with tf.Session(graph=credit.graph) as session:
            session.run(credit.initialize)
            rows = [
                session.run(credit.row, {credit.labels: labels, credit.key: key})
                for key in ([3, 1], [3, 1], *[[3, other] for other in range(2, 12)])
            ]
        np.testing.assert_array_equal(rows[0], rows[1])
        assert len({row.tobytes() for row in rows}) > 2
        assert {float(value) for row in rows for value in row} <= {0.0, *[2.0**k for k in range(6)]}


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
@settings(max_examples=12)
@given(data=st.data())
def test_gradient_is_the_sum_over_pairs(unroll: str, data: st.DataObject) -> None:
    num_steps = data.draw(st.integers(1, 9))
    style = data.draw(st.sampled_from(styles(num_steps)))
    batch, state_size = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    truncation = TruncationConfig(**style)
    context = truncation.context_steps
    stream = np.random.default_rng(data.draw(st.integers(0, 1000)))
    weights = draw_weights(stream, 2, state_size, 2)
    inputs = stream.integers(0, 2, [context + num_steps, batch])
    labels = stream.integers(0, 2, [num_steps, batch])
    state = stream.uniform(-1, 1, [batch, state_size])
    found = graph_step(unroll, truncation, weights, inputs, labels, state)
    expected = reference_with_context(weights, inputs, labels, state, truncation)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=0, atol=1e-10)
    for name, ours, theirs in zip(
        Weights._fields, found.gradients, expected.gradients, strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10, err_msg=f"{style} {name}")


def reference_with_context(
    weights: Weights, inputs: Any, labels: Any, state: Any, truncation: TruncationConfig
) -> Any:
    """The NumPy sum over pairs; losses of the context are taken out again."""
    num_steps, context = len(labels), truncation.context_steps
    length = num_steps + context
    credit = np.zeros([length, length])
    credit[context:] = definition(truncation, num_steps)
    padded = np.concatenate([np.zeros([context, labels.shape[1]], labels.dtype), labels])
    step = train_step(weights, inputs, padded, state, credit)
    gradients = [gradient * length / num_steps for gradient in step.gradients]
    if context:  # the head's gradient has no credit to leave the context's losses out by
        start = train_step(weights, inputs[:context], padded[:context], state)
        for index in (2, 3):
            gradients[index] = gradients[index] - start.gradients[index] * context / num_steps
    return step._replace(loss=float(step.losses[context:].mean()), gradients=Weights(*gradients))


def make_model(state_size: int) -> Model:
    return Model(ModelConfig(cell="basic_rnn", state_size=state_size), TaskShape(2, 2), tf.float64)


def constant_window(inputs: Any, labels: Any, state: Any) -> Window:
    return Window(
        tf.constant(inputs, tf.int32),
        tf.constant(labels, tf.int32),
        tf.constant(state, tf.float64),
        tf.constant([0, 0]),
    )


def restore(session: Any, model: Model, weights: Weights) -> None:
    snapshot = make_snapshot(model.variables)
    session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))


def graph_step(
    unroll: str,
    truncation: TruncationConfig,
    weights: Weights,
    inputs: Any,
    labels: Any,
    state: Any,
) -> Step:
    """The values of one step in a float64 graph."""
    with tf.Graph().as_default(), tf.Session() as session:
        model = make_model(state.shape[1])
        step = make_step(model, UNROLLS[unroll], truncation)(constant_window(inputs, labels, state))
        restore(session, model, weights)
        values: Step = session.run(step)
    return values


@pytest.mark.parametrize("style", [s for s in styles(4) if s.get("depth", 4) >= 4], ids=str)
def test_carried_state_is_the_one_before_the_next_window(style: dict[str, Any]) -> None:
    truncation = TruncationConfig(**style)
    stream = np.random.default_rng(0)
    weights = draw_weights(stream, 2, 3, 2)
    inputs = stream.integers(0, 2, [truncation.context_steps + 4, 2])
    labels, state = stream.integers(0, 2, [4, 2]), stream.uniform(-1, 1, [2, 3])
    found = graph_step("static", truncation, weights, inputs, labels, state)
    expected = train_step(weights, inputs[:4], labels, state).final_state
    np.testing.assert_allclose(found.final_state, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "full", "depth": 3}, "depth is for"),
        ({"kind": "true_bptt"}, "needs depth"),
        ({"kind": "true_bptt", "depth": 3, "stride": 1}, "stride is for"),
        ({"kind": "tf_style", "context": True}, "context is for"),
        ({"kind": "artbp"}, "needs cut_probability"),
        ({"kind": "artbp", "cut_probability": 1.0}, "less than 1"),
    ],
)
def test_what_cannot_be_is_an_error_with_the_reason(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TruncationConfig(**keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "tf_style", "depth": 5}, "truncation.depth: tf_style cuts graph.num_steps, 6"),
        ({"kind": "williams_peng", "depth": 8, "stride": 4}, "expected a divisor of graph.num"),
        (
            {"kind": "williams_peng", "depth": 2, "stride": 3},
            "at least truncation.stride, 3",
        ),
        ({"kind": "williams_peng", "depth": 5, "stride": 2}, "a multiple of truncation.stride, 2"),
    ],
)
def test_what_does_not_divide_the_window_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TruncationConfig(**keys).check_window(6)


@pytest.mark.parametrize("unroll", ALL_UNROLLS)
@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("depth", [5, 7, 9])
def test_a_single_group_of_errors_takes_any_depth(unroll: str, context: bool, depth: int) -> None:
    """If stride is num_steps, as in BPTT(2K - 1; K)."""
    truncation = TruncationConfig(kind="williams_peng", depth=depth, stride=4, context=context)
    truncation.check_window(4)
    np.testing.assert_array_equal(measured(unroll, truncation, 4), definition(truncation, 4))
