"""The study of vanishing gradients: its signals against NumPy's, and its criterion."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.studies.registry import make_figure
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.vanishing import (
    BATCH,
    CLASSES,
    UNITS,
    SignalBelow,
    SignalOf,
    _signals,
)
from rnn_graphs.config import ModelConfig
from rnn_graphs.error_signal import error_signal_of_parts
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window
from tests.numpy_reference import Weights, error_signal

NO_RUNS = StudyRuns({}, {})


def test_a_simple_cells_signal_is_numpys() -> None:
    stream = np.random.default_rng(3)
    ids = stream.integers(0, 3, [2, 6, 4])
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(ModelConfig(cell="scratch", state_size=5), TaskShape(3, 3), tf.float64)
        window = Window(
            tf.constant(ids[0]), tf.constant(ids[1]), model.zero_state(4), tf.constant([0, 0])
        )
        signal = error_signal_of_parts(model, window)
        snapshot = make_snapshot(model.variables)
        values = [stream.normal(0, 0.5, value.shape) for value in snapshot.values.values()]
        session.run(snapshot.restore, dict(zip(snapshot.values.values(), values, strict=True)))
        found = session.run(signal)
    expected = error_signal(Weights(*values), ids[0], ids[1], np.zeros([4, 5]))
    assert found.shape == (1, 5)
    np.testing.assert_allclose(found[0], expected[1:], rtol=1e-10)


def test_the_parts_of_an_lstm_are_apart_and_c_falls_by_its_forget_gate() -> None:
    """With h cut off from everything, the error at c is the product of the forget gates."""
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(ModelConfig(cell="lstm", state_size=1), TaskShape(2, 2), tf.float64)
        window = Window(
            tf.zeros([5, 1], tf.int32), tf.zeros([5, 1], tf.int32), model.zero_state(1),
            tf.constant([0, 0]),
        )  # fmt: skip
        signal = error_signal_of_parts(model, window)
        snapshot = make_snapshot(model.variables)
        shapes = {name: np.zeros(value.shape) for name, value in snapshot.values.items()}
        for name, value in shapes.items():
            if name.endswith("softmax/W"):
                value[0, 0] = 1.0
        session.run(snapshot.restore, {snapshot.values[n]: v for n, v in shapes.items()})
        c, h = session.run(signal)
    np.testing.assert_allclose(c[1:] / c[:-1], 1 / (1 + np.exp(-1)), rtol=1e-12)
    assert not h.any()


def test_signals_are_relative_to_lag_1_and_drawn_by_seed() -> None:
    found = SignalOf(cell="basic_rnn").signal(4, 3)
    assert found.shape == (3, 3)
    np.testing.assert_array_equal(found[:, 0], 1)
    assert len(set(found[:, 1])) == 3
    raw = _signals((("cell", "basic_rnn"),), 4, 3)
    np.testing.assert_allclose(found, raw[:, 0] / raw[:, 0, :1])
    assert (UNITS, CLASSES, BATCH) == (32, 8, 50)


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        ({"signal": {"cell": "basic_rnn", "activation": "sigmoid"}, "limit": 0.1}, "holds"),
        ({"signal": {"cell": "basic_rnn"}, "limit": 0.01}, "fails"),
        (
            {
                "signal": {"cell": "basic_rnn", "activation": "sigmoid"},
                "against": {"cell": "basic_rnn"},
            },
            "holds",
        ),
    ],
)
def test_the_criterion_decides(arguments: dict[str, object], verdict: str) -> None:
    criterion = SignalBelow.model_validate({**arguments, "lag": 3, "seeds": 5})
    assert criterion.decide(NO_RUNS).verdict == verdict


def test_a_line_for_each_model_is_the_geometric_mean_over_seeds() -> None:
    keys = {"c of the LSTM": {"cell": "lstm"}, "its h": {"cell": "lstm", "part": 1}}
    arguments = {"models": keys, "lags": 4, "seeds": 3}
    (axes,) = make_figure("signal_by_lag", arguments).draw("title", NO_RUNS).axes
    assert axes.get_yscale() == "log"
    c, h = axes.lines
    assert [line.get_label() for line in (c, h)] == list(keys)
    assert [line.get_linestyle() for line in (c, h)] == ["-", "--"]
    for line, part in ((c, 0), (h, 1)):
        signal = SignalOf(cell="lstm", part=part).signal(5, 3)
        expected = signal.prod(axis=0) ** (1 / 3)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_allclose(np.asarray(line.get_ydata()), expected)
