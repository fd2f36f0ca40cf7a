"""Styles that carry an influence: exact ones against full backpropagation over all windows."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation import kf_rtrl, uoro
from rnn_graphs.truncation.step import Window, make_step
from tests.numpy_reference import Array

RTRL = TruncationConfig(kind="rtrl")
SHAPE = TaskShape(3, 2)
ALL_CELLS: list[dict[str, Any]] = [
    {"cell": "scratch", "state_size": 3},
    {"cell": "scratch", "state_size": 4, "activation": "crelu"},
    {"cell": "basic_rnn", "state_size": 3, "embedding": 2},
    {"cell": "gru", "state_size": 3},
    {"cell": "basic_lstm", "state_size": 2, "forget_bias": -0.7},
    {"cell": "lstm", "state_size": 3, "peepholes": True, "cell_clip": 0.4, "projection": 2},
    {"cell": "gru", "state_size": (2, 3), "state_keep_prob": 0.7, "input_keep_prob": 0.7},
    {"cell": "lstm", "state_size": (2, 2), "embedding": 2, "output_keep_prob": 0.8},
]


class Case(NamedTuple):
    """A model on consecutive windows."""

    keys: dict[str, Any]
    num_steps: int
    unroll: str = "static"
    windows: int = 3
    batch: int = 2
    xla: bool = False
    equal_rows: bool = False


class Gradients(NamedTuple):
    """Sums over the windows, by variable; each window's loss is a sum."""

    carried: list[Array]  # of a style that carries an influence
    full: list[Array]  # of full backpropagation through all windows as one
    last: list[Array]  # of the style in the last window alone


def gradients(case: Case, truncation: TruncationConfig) -> Gradients:
    """The gradients of both on the same data, with weights that stand still."""
    stream, steps = np.random.default_rng(0), case.num_steps * case.windows
    rows = 1 if case.equal_rows else case.batch
    inputs = np.tile(stream.integers(0, 3, [steps, rows]), [1, case.batch // rows])
    labels = np.tile(stream.integers(0, 2, [steps, rows]), [1, case.batch // rows])
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(ModelConfig(**case.keys), SHAPE, tf.float64, case.xla)
        state, influence = (
            model.zero_state(case.batch),
            truncation.first_influence(model, case.batch, case.num_steps),
        )
        whole = Window(tf.constant(inputs), tf.constant(labels), state, tf.constant([3, 0]))
        full = make_step(model, model.unrolls[case.unroll], TruncationConfig(kind="full"))(whole)
        step, parts = make_step(model, model.unrolls[case.unroll], truncation), []
        for number in range(case.windows):
            time = slice(number * case.num_steps, (number + 1) * case.num_steps)
            # One mask for all steps of a key: windows of the same key have those of the whole.
            update = 0 if case.keys.get("dropout_mask") == "sequence" else number
            window = Window(
                tf.constant(inputs[time]), tf.constant(labels[time]), state,
                tf.constant([3, update]),
                influence=influence,
            )  # fmt: skip
            result = step(window)
            parts.append([part * total(window) for part in result.gradients])
            carried = (result.final_state, result.influence)
            state, influence = tf.nest.map_structure(tf.stop_gradient, carried)
        snapshot = make_snapshot(model.variables)
        weights = [stream.normal(0, 0.5, value.shape) for value in snapshot.values.values()]
        session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))
        fetched, of_all = session.run((parts, [one * total(whole) for one in full.gradients]))
    return Gradients([sum(one) for one in zip(*fetched, strict=True)], of_all, fetched[-1])


def total(window: Window) -> float:
    """The factor from the mean loss to the sum of losses."""
    return float(np.prod(window.labels.shape.as_list()))


def assert_exact(case: Case, truncation: TruncationConfig = RTRL) -> None:
    found = gradients(case, truncation)
    for index, (ours, theirs) in enumerate(zip(found.carried, found.full, strict=True)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10, err_msg=f"variable {index}")


def without_dropout(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if "keep_prob" not in key}


FEW = [
    Case(ALL_CELLS[0], 1, "scratch"),
    Case({"cell": "scratch", "state_size": 9}, 1),
    Case(ALL_CELLS[1], 3),
    Case(ALL_CELLS[2], 3, "dynamic"),
    Case(ALL_CELLS[3], 1),
    Case(ALL_CELLS[4], 3, "scan"),
    Case(ALL_CELLS[5], 1, "dynamic"),
    Case(without_dropout(ALL_CELLS[7]), 3),
    Case(ALL_CELLS[6] | {"dropout_mask": "sequence", "output_keep_prob": 0.8}, 2),
]


@pytest.mark.parametrize("case", FEW, ids=str)
def test_rtrl_over_windows_is_full_backpropagation_through_all(case: Case) -> None:
    assert_exact(case)


@pytest.mark.slow
@pytest.mark.parametrize("unroll", ["scratch", "static", "dynamic", "scan"])
@pytest.mark.parametrize("num_steps", [1, 3, 7])
@pytest.mark.parametrize("keys", ALL_CELLS, ids=str)
def test_rtrl_is_exact_for_every_cell(keys: dict[str, Any], num_steps: int, unroll: str) -> None:
    assert_exact(Case(without_dropout(keys), num_steps, unroll))


@pytest.mark.slow
@pytest.mark.parametrize("keys", ALL_CELLS[:4], ids=str)
def test_rtrl_is_exact_as_it_is_written_for_xla(keys: dict[str, Any]) -> None:
    assert_exact(Case(keys, 3, batch=64, xla=True))


def test_rtrl_is_the_slope_of_the_whole_loss() -> None:
    """Against central differences of the loss of all windows in NumPy."""
    case, step = Case({"cell": "basic_rnn", "state_size": 3}, 2), 1e-5
    found = gradients(case, RTRL).carried
    stream, steps = np.random.default_rng(0), case.num_steps * case.windows
    inputs = stream.integers(0, 3, [steps, case.batch])
    labels = stream.integers(0, 2, [steps, case.batch])
    weights = [stream.normal(0, 0.5, shape) for shape in ([6, 3], [3], [3, 2], [2])]
    for weight, gradient in zip(weights, found, strict=True):
        for place in np.ndindex(weight.shape):
            ends, value = [], weight[place]
            for moved in (value + step, value - step):
                weight[place] = moved
                ends.append(whole_loss(weights, inputs, labels))
            weight[place] = value
            assert abs((ends[0] - ends[1]) / (2 * step) - gradient[place]) < 1e-8


def whole_loss(weights: list[Array], inputs: Any, labels: Any) -> float:
    """The sum of all losses of a tanh cell, in nats."""
    W, b, U, c = weights
    h, loss = np.zeros([inputs.shape[1], len(b)]), 0.0
    for x, y in zip(inputs, labels, strict=True):
        h = np.tanh(np.concatenate([np.eye(3)[x], h], 1) @ W + b)
        logits = h @ U + c
        loss += float((np.log(np.exp(logits).sum(1)) - logits[range(len(y)), y]).sum())
    return loss


def test_without_the_influence_it_would_not_be() -> None:
    case = Case({"cell": "scratch", "state_size": 3}, 1)
    found = gradients(case, TruncationConfig(kind="tf_style"))
    assert np.abs(found.carried[0] - found.full[0]).max() > 1e-2


@pytest.mark.parametrize(
    "case",
    [
        Case({"cell": "scratch", "state_size": 3}, 1),
        Case({"cell": "lstm", "state_size": (2, 2)}, 3),
    ],
    ids=str,
)
def test_snap_of_the_order_of_the_state_is_rtrl(case: Case) -> None:
    assert_exact(case, TruncationConfig(kind="snap", order=4))


def test_snap_keeps_the_diagonal_of_a_tanh_cell() -> None:
    """Against NumPy, step by step, for one layer; the second order of a dense cell is rtrl."""
    case = Case({"cell": "basic_rnn", "state_size": 3}, 1, windows=4)
    first = gradients(case, TruncationConfig(kind="snap", order=1))
    assert np.abs(first.carried[0] - first.full[0]).max() > 1e-3
    expected = diagonal_rtrl(case)
    np.testing.assert_allclose(first.carried[0], expected, rtol=0, atol=1e-10)
    assert_exact(case, TruncationConfig(kind="snap", order=2))


def diagonal_rtrl(case: Case) -> Array:
    """The gradient of W in NumPy, with the diagonal of D alone (Menick et al. 2020)."""
    stream = np.random.default_rng(0)
    inputs = stream.integers(0, 3, [case.windows, case.batch])
    labels = stream.integers(0, 2, [case.windows, case.batch])
    W, b, U, c = (stream.normal(0, 0.5, shape) for shape in ([6, 3], [3], [3, 2], [2]))
    h, found = np.zeros([case.batch, 3]), np.zeros_like(W)
    J = before = np.zeros([case.batch, 6, 3])
    for x, y in zip(inputs, labels, strict=True):
        v = np.concatenate([np.eye(3)[x], h], 1)
        h = np.tanh(v @ W + b)
        slope = 1 - h**2
        J = slope[:, None] * (np.diag(W[3:]) * J + v[..., None])
        # Within the window credit is exact: one step through all of D, and not its diagonal.
        logits = h @ U + c
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        at_state = (chances - np.eye(2)[y]) @ U.T * slope
        found += np.einsum("bk,bj->kj", v, at_state)
        found += np.einsum("bj,bkj->kj", at_state @ W[3:].T, before)
        before = J
    return found


def test_rflo_without_a_leak_is_depth_1() -> None:
    for keys in ({"cell": "scratch", "state_size": 3}, {"cell": "lstm", "state_size": 2}):
        case = Case(keys, 3)
        ours = gradients(case, TruncationConfig(kind="rflo", leak=0.0)).carried
        theirs = gradients(case, TruncationConfig(kind="true_bptt", depth=1)).carried
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_rflo_does_not_depend_on_how_the_sequence_is_cut() -> None:
    keys, truncation = {"cell": "gru", "state_size": 2}, TruncationConfig(kind="rflo", leak=0.7)
    one = gradients(Case(keys, 2, windows=3), truncation).carried
    other = gradients(Case(keys, 6, windows=1), truncation).carried
    short = gradients(Case(keys, 6, windows=1), TruncationConfig(kind="rflo", leak=0.0)).carried
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert np.abs(one[0] - short[0]).max() > 1e-3


@pytest.mark.parametrize(
    "style",
    [
        {"kind": "snap", "order": 1},
        {"kind": "rflo", "leak": 0.5},
        {"kind": "uoro"},
        {"kind": "kf_rtrl"},
    ],
    ids=str,
)
def test_a_scan_carries_the_influence_of_a_static_graph(style: dict[str, Any]) -> None:
    """Its draws too, which come from the key and not from the unroll."""
    keys, truncation = {"cell": "scratch", "state_size": 3}, TruncationConfig(**style)
    scan, static = (
        gradients(Case(keys, 2, unroll, windows=2), truncation) for unroll in ("scan", "static")
    )
    for ours, theirs in zip(scan.carried, static.carried, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


class EverySign:
    """Takes the place of random_signs: each row of the batch meets one of all combinations."""

    def __init__(self, draws: int, per_draw: int, after: int) -> None:
        patterns = np.array(list(itertools.product((-1.0, 1.0), repeat=draws * per_draw)))
        self.rows = len(patterns)
        unused = np.ones([after, per_draw, self.rows])  # the last window's are not looked at
        self._left = [*patterns.T.reshape(draws, per_draw, self.rows), *unused]

    def __call__(self, shape: list[int], _key: Any, _dtype: Any) -> Any:
        signs = self._left.pop(0)
        return tf.constant(signs.T if len(shape) == 2 else signs.reshape(shape))


def test_the_mean_of_uoro_over_all_signs_is_rtrl(monkeypatch: pytest.MonkeyPatch) -> None:
    signs = EverySign(draws=2, per_draw=2, after=1)
    monkeypatch.setattr(uoro, "random_signs", signs)
    case = Case({"cell": "gru", "state_size": 2}, 2, batch=signs.rows, equal_rows=True)
    assert_last_is_rtrl(case, TruncationConfig(kind="uoro"))


def test_the_mean_of_kf_rtrl_over_all_signs_is_rtrl(monkeypatch: pytest.MonkeyPatch) -> None:
    signs = EverySign(draws=2, per_draw=2, after=1)
    monkeypatch.setattr(kf_rtrl, "random_signs", signs)
    case = Case({"cell": "scratch", "state_size": 2}, 1, batch=signs.rows, equal_rows=True)
    assert_last_is_rtrl(case, TruncationConfig(kind="kf_rtrl"))


def assert_last_is_rtrl(case: Case, truncation: TruncationConfig) -> None:
    ours, exact = gradients(case, truncation).last, gradients(case, RTRL).last
    for one, other in zip(ours, exact, strict=True):
        np.testing.assert_allclose(one / case.batch, other / case.batch, rtol=0, atol=1e-10)


def test_draws_of_a_random_style_differ_by_row_and_come_from_the_key() -> None:
    case = Case({"cell": "scratch", "state_size": 3}, 1)
    once, again = (gradients(case, TruncationConfig(kind="uoro")).last for _ in range(2))
    np.testing.assert_array_equal(once[0], again[0])
    exact = gradients(case, RTRL).last
    assert np.abs(once[0] - exact[0]).max() > 1e-3
