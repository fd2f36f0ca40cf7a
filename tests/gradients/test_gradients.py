"""run.py gradients: its measurements against NumPy, their moments, and the files written."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import run
from data.batching import cut_into_rows
from data.streams import evaluation_stream
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.during_training import gradients, rows
from experiments.gradients.error import compare
from experiments.gradients.measurement import (
    DRAWS,
    WINDOWS,
    Gauge,
    GradientEstimate,
    Measured,
    held_out_windows,
    mean_error_signal,
    moments,
    styles,
    weights_at,
)
from experiments.gradients.rows import spread_of
from experiments.runs import checkpoints
from experiments.training import runner
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import GraphConfig, ModelConfig, TruncationConfig, Unroll
from rnn_graphs.error_signal import error_signal as error_signal_of
from rnn_graphs.graphs.gradients import build_gradient_graph
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.step import Window
from rnn_graphs.unrolls import static
from tests.conftest import SMALL, small_config
from tests.numpy_reference import Array, draw_weights, error_signal, train_step

TIME, BATCH, STATE = 4, 5, 3
# 40 updates in two epochs; the moments are 0, 1, 2, 10 and 40.
TINY = (*SMALL, "graph.batch_size=100", "task.size=8000", "graph.num_steps=4")

# Of the task `matching`; small, because it would be trained if it were not refused.
ONE_DIRECTION = (
    *("model.bidirectional=false", "model.output_keep_prob=1", "model.state_size=2"),
    *("training.epochs=1", "training.validate_every=null", "graph.num_steps=4", "task.length=4"),
)


class Example:
    """Weights, a window and a state."""

    def __init__(self, seed: int) -> None:
        stream = np.random.default_rng(seed)
        self.weights = draw_weights(stream, 2, STATE, 2)
        self.inputs, self.labels = stream.integers(0, 2, [2, TIME, BATCH])
        self.state: Array = stream.uniform(-1, 1, [BATCH, STATE])

    def gradient(self, truncation: TruncationConfig) -> Array:
        """The reference's gradient of all weights, [parameters]."""
        credit = definition(truncation, TIME)
        step = train_step(self.weights, self.inputs, self.labels, self.state, credit)
        return np.concatenate([part.ravel() for part in step.gradients])


def looked_at(
    example: Example, truncations: list[TruncationConfig], cell: str, unroll: Unroll
) -> tuple[Array, Array, list[Array]]:
    """Error signal, full gradient and estimates of a graph."""
    graph_config = GraphConfig(
        unroll=unroll, num_steps=TIME, batch_size=BATCH, precision="float32"
    )  # fmt: skip
    model_config = ModelConfig(cell=cell, state_size=STATE)
    graph = build_gradient_graph(model_config, graph_config, TaskShape(2, 2), truncations)
    window = graph.window
    with tf.Session(graph=graph.graph) as session:
        values = dict(zip(graph.snapshot.values.values(), example.weights, strict=True))
        session.run(graph.snapshot.restore, values)
        found: tuple[Array, Array, list[Array]] = session.run(
            (graph.error_signal, graph.full, graph.estimates),
            {
                window.inputs: example.inputs, window.labels: example.labels,
                window.state: example.state, window.key: [0, 0],
            },
        )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("cell", "unroll"), [("scratch", "scratch"), ("basic_rnn", "static"), ("basic_rnn", "dynamic")]
)
def test_error_signal_and_gradients_are_the_references(cell: str, unroll: Unroll) -> None:
    example = Example(0)
    exact = [style for style in styles(TIME) if style.kind != "artbp"]
    signal, full, estimates = looked_at(example, exact, cell, unroll)
    expected = error_signal(example.weights, example.inputs, example.labels, example.state)
    np.testing.assert_allclose(signal, expected, rtol=1e-10)
    whole = example.gradient(TruncationConfig(kind="full"))
    np.testing.assert_allclose(full, whole, rtol=0, atol=1e-12)
    errors = []
    for style, estimate in zip(exact, estimates, strict=True):
        found, reference = compare(estimate, full), compare(example.gradient(style), whole)
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-10, err_msg=str(style))
        errors.append(found.relative_error)
    assert max(errors) > 0.1


def test_depth_of_the_whole_window_leaves_nothing_out() -> None:
    deep = [
        TruncationConfig(kind="tf_style", depth=TIME),
        *[TruncationConfig(kind="true_bptt", depth=depth) for depth in (TIME, TIME + 2)],
        TruncationConfig(kind="williams_peng", depth=TIME, stride=TIME // 2),
        TruncationConfig(kind="artbp", cut_probability=0),
    ]
    _, full, estimates = looked_at(Example(1), deep, "basic_rnn", "static")
    for style, estimate in zip(deep, estimates, strict=True):
        assert compare(estimate, full) == pytest.approx((0, 1), abs=1e-14), str(style)


class TestCompare:
    def test_a_gradient_with_itself_is_exact(self) -> None:
        gradient = np.random.default_rng(0).normal(size=50)
        assert compare(gradient, gradient) == (0, 1)

    @pytest.mark.parametrize(
        ("estimate", "expected"),
        [([0, 3], (np.sqrt(2), 0)), ([6, 0], (1, 1)), ([-3, 0], (2, -1)), ([3, 3], (1, 0.5**0.5))],
    )
    def test_with_others(self, estimate: list[float], expected: tuple[float, float]) -> None:
        found = compare(np.array(estimate, float), np.array([3.0, 0.0]))
        assert found == pytest.approx(expected, abs=1e-15)

    def test_zero_has_no_angle(self) -> None:
        error, cosine = compare(np.zeros(2), np.array([3.0, 0.0]))
        assert error == 1
        assert np.isnan(cosine)

    def test_one_that_overflows_warns_of_nothing(self) -> None:
        assert np.isnan(compare(np.array([1e300, 0]), np.array([1e300, 0])).cosine)


class TestStyles:
    @pytest.mark.parametrize("num_steps", [1, 2, 7, 10, 12, 49, 360])
    def test_every_one_is_allowed_and_there_is_one_of_each(self, num_steps: int) -> None:
        found = styles(num_steps)
        for style in found:
            style.check_window(num_steps)
        assert len(set(found)) == len(found)

    def test_of_10_steps(self) -> None:
        found = [(one.kind, one.depth, one.stride, one.cut_probability) for one in styles(10)]
        assert found == [
            *[("tf_style", depth, None, None) for depth in (1, 2, 5, 10)],
            *[("true_bptt", depth, None, None) for depth in (1, 2, 4, 8, 10)],
            *[("williams_peng", 2 * stride, stride, None) for stride in (1, 2, 5)],
            *[("artbp", None, None, chance) for chance in (0.5, 0.25, 0.125, 0.1)],
        ]


def test_error_signal_is_over_all_parts_of_a_state() -> None:
    """An LSTM's, against differences of the last loss by the state two steps before it."""
    example, lag, change = Example(2), 2, 1e-6
    ids = tf.int32
    with tf.Graph().as_default(), tf.Session() as session:
        lstm_model = Model(ModelConfig(cell="lstm", state_size=3), TaskShape(2, 2), tf.float64)
        inputs, labels = tf.constant(example.inputs, ids), tf.constant(example.labels, ids)
        window = Window(inputs, labels, lstm_model.zero_state(BATCH), tf.constant([0, 0]))
        signal = error_signal_of(lstm_model, window)
        encoded = lstm_model.encode(inputs, window.key)
        before = static(lstm_model.cell, encoded[:-lag], window.state, None).final_state
        outputs = static(lstm_model.cell, encoded[-lag:], before, None).outputs
        head = lstm_model.head
        loss = head.losses(head.logits(outputs), labels[-lag:])[-1]
        stream = np.random.default_rng(3)
        snapshot = make_snapshot(lstm_model.variables)
        values = snapshot.values.values()
        session.run(snapshot.restore, {v: stream.normal(size=v.shape) for v in values})
        state = session.run(before)
        squares = np.zeros(BATCH)
        for part, unit in itertools.product((0, 1), range(3)):
            moved = []
            for sign in (1, -1):
                parts = [value.copy() for value in state]
                parts[part][:, unit] += sign * change
                moved.append(session.run(loss, dict(zip(before, parts, strict=True))))
            squares += ((moved[0] - moved[1]) / (2 * change)) ** 2
        assert session.run(signal)[lag] == pytest.approx(np.sqrt(squares).mean(), rel=1e-6)


def test_error_signal_of_padded_rows_is_of_their_last_loss_that_counts() -> None:
    """As if each row were alone and ended there. The content of the padding has no effect."""
    example, last = Example(4), np.array([3, 1, 0, 2, -1])  # of the last row nothing counts
    weights = np.zeros([TIME, BATCH])
    counted = np.flatnonzero(last >= 0)
    weights[last[counted], counted] = 0.5
    weights[0, 0] = 1  # a loss before the last one
    alone = [
        error_signal(
            example.weights,
            example.inputs[: last[row] + 1, [row]],
            example.labels[: last[row] + 1, [row]],
            example.state[[row]],
        )
        for row in counted
    ]
    expected = [
        np.mean([signal[lag] for signal in alone if len(signal) > lag]) for lag in range(TIME)
    ]
    for labels in (example.labels, np.where(weights > 0, example.labels, 1 - example.labels)):
        with tf.Graph().as_default(), tf.Session() as session:
            model = Model(
                ModelConfig(cell="basic_rnn", state_size=STATE), TaskShape(2, 2), tf.float64
            )
            window = Window(
                tf.constant(example.inputs, tf.int32),
                tf.constant(labels, tf.int32),
                tf.constant(example.state),
                tf.constant([0, 0]),
                tf.constant(weights),
            )
            signal = error_signal_of(model, window)
            none_so_long = error_signal_of(
                model, window._replace(weights=tf.constant(weights * (last < 2)))
            )
            snapshot = make_snapshot(model.variables)
            values = dict(zip(snapshot.values.values(), example.weights, strict=True))
            session.run(snapshot.restore, values)
            np.testing.assert_allclose(session.run(signal), expected, rtol=0, atol=1e-12)
            found = session.run(none_so_long)
        assert np.isfinite(found[:2]).all()
        assert np.isnan(found[2:]).all()


def test_lags_that_no_row_has_are_left_out() -> None:
    """One seed, moment and estimate; of two windows one has no row that goes back 2 steps."""
    nan = float("nan")
    signal = np.array([[[[1.0, 3.0, nan, nan], [2.0, 5.0, 4.0, nan]]]])
    one = np.ones([1, 1, 2, 1])
    estimate = GradientEstimate(TruncationConfig(kind="tf_style", depth=2))
    measured = Measured([0], [estimate], signal, one, one)
    np.testing.assert_array_equal(mean_error_signal(measured), [[1.5, 4, 4, nan]])
    values = [
        (row.window, row.lag, row.value)
        for row in rows(measured, range(1))
        if row.quantity == "error_signal"
    ]
    assert values == [(0, 0, 1), (0, 1, 3), (1, 0, 2), (1, 1, 5), (1, 2, 4)]


class TestMoments:
    def test_go_from_the_start_to_the_end(self) -> None:
        assert moments(6400) == [0, 100, 400, 1600, 6400]

    def test_of_a_single_update_are_before_and_after_it(self) -> None:
        assert moments(1) == [0, 1]

    @pytest.mark.usefixtures("only_training")
    def test_have_the_weights_that_training_has(self, tmp_path: Path) -> None:
        config = small_config("logging.tensorboard=false", "task.size=4000")
        runner.train(config, tmp_path)
        trained = checkpoints.newest(tmp_path / "checkpoint", 0).checkpoint
        assert trained is not None
        work = make_workload(config)
        with TrainingSession(build(config, work), 1) as session:
            *_, ours = weights_at([0, 3, 45, work.updates], config, work, session, 0)
        assert ours.keys() == trained.variables.keys()
        for name, value in ours.items():
            np.testing.assert_array_equal(value, trained.variables[name], err_msg=name)


class TestGauge:
    @pytest.fixture(scope="class")
    @classmethod
    def config(cls) -> Config:
        return small_config("graph.num_steps=4", "graph.batch_size=50")

    def test_the_state_is_carried_from_window_to_window(self, config: Config) -> None:
        """Two windows measured in sequence differ from two windows measured alone."""
        task = config.task.make()
        windows = held_out_windows(config, task, 0)
        variables = self.variables(config)
        with Gauge(config, task, styles(4)[:1]) as gauge:
            first, second = gauge.measure(variables, windows[:2], 0)
            (alone,) = gauge.measure(variables, windows[1:2], 0)
            (again,) = gauge.measure(variables, windows[:1], 0)
        np.testing.assert_array_equal(first.error_signal, again.error_signal)
        assert not np.isclose(second.error_signal, alone.error_signal).any()

    def test_the_mean_of_many_draws_of_artbp_is_nearer_to_full(self, config: Config) -> None:
        """By the root of their number, because the error of an unbiased estimate is pure noise."""
        task, artbp = config.task.make(), TruncationConfig(kind="artbp", cut_probability=0.3)
        with Gauge(config, task, [artbp]) as gauge:
            assert [estimate.draws for estimate in gauge.estimates] == [1, DRAWS]
            readings = gauge.measure(self.variables(config), held_out_windows(config, task, 0), 0)
        errors = np.array([reading.comparisons for reading in readings])[:, :, 0].mean(axis=0)
        assert errors[0] / errors[1] == pytest.approx(DRAWS**0.5, rel=0.4)

    def test_windows_are_fresh_and_as_many_as_the_rows_have(self, config: Config) -> None:
        task = config.task.make()
        assert len(held_out_windows(config, task, 0)) == WINDOWS
        short = small_config("graph.batch_size=2000", "graph.num_steps=4")  # rows of 10
        assert len(held_out_windows(short, task, 0)) == 2

    @pytest.mark.parametrize("experiment", ["digits_small", "text_python_docs"])
    def test_windows_are_of_data_that_training_never_sees(self, experiment: str) -> None:
        config = load_config(experiment, [])
        task = config.task.make()
        expected = cut_into_rows(
            task.evaluation("valid", evaluation_stream(0)), config.graph.batch_size
        )
        for number, window in enumerate(held_out_windows(config, task, 0)):
            steps = slice(number * config.graph.num_steps, (number + 1) * config.graph.num_steps)
            np.testing.assert_array_equal(window.inputs, expected.inputs[:, steps])

    def test_held_out_data_that_fill_no_batch_are_a_usage_error(self) -> None:
        config = load_config("digits_small", ["graph.batch_size=400"])
        with pytest.raises(UsageError, match=r"graph\.batch_size: .*\(valid, test\); got 400"):
            held_out_windows(config, config.task.make(), 0)

    @staticmethod
    def variables(config: Config) -> dict[str, NDArray[Any]]:
        """A seed's weights at its start."""
        with TrainingSession(build(config, make_workload(config)), 1) as session:
            session.initialize(1)
            return session.variables()


class TestCommand:
    @pytest.mark.parametrize(
        ("changes", "seeds"),
        [
            (("training.seeds=2",), 2),
            (("graph.unroll=dynamic", "graph.precision=float64", "execution.loop=per_step"), 1),
            (("model.cell=scratch", "graph.unroll=scratch", "graph.num_steps=1"), 1),
        ],
        ids=str,
    )
    def test_files_hold_every_number(
        self,
        changes: tuple[str, ...],
        seeds: int,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "out"
        assert run.main(["gradients", "r2rt_n5", *TINY, *changes, "--out", str(out)]) == 0
        assert (out / "gradients.png").read_bytes().startswith(b"\x89PNG")
        with open(out / "gradients.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        config = small_config(*TINY[len(SMALL) :], *changes)
        num_steps = config.graph.num_steps
        artbp = sum(style.kind == "artbp" for style in styles(num_steps))
        lines = len(styles(num_steps)) + artbp
        places = seeds * len(moments(make_workload(config).updates)) * WINDOWS
        beyond = [row for row in rows if row["quantity"].endswith("_to_rtrl")]
        assert {row["quantity"] for row in beyond} == {"relative_error_to_rtrl", "cosine_to_rtrl"}
        assert len(rows) - len(beyond) == places * (num_steps + 2 * lines)
        assert {row["seed"] for row in rows} == {str(seed) for seed in range(seeds)}
        assert all(np.isfinite(float(row["value"])) for row in rows)
        exact = [row for row in rows if row["depth"] == str(num_steps)]
        for quantity, expected in (("relative_error", 0), ("cosine", 1)):
            values = [float(row["value"]) for row in exact if row["quantity"] == quantity]
            np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
        printed = capsys.readouterr().out
        assert f"tf_style (depth {num_steps})" in printed
        assert printed.splitlines()[-1].startswith("written: ")

    def test_the_summary_may_be_json(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run.main(["gradients", "r2rt_n5", *TINY, "--json", "--out", str(tmp_path)]) == 0
        found = json.loads(capsys.readouterr().out)
        with open(tmp_path / "gradients.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["quantity"] == "error_signal"]
        first = [float(row["value"]) for row in rows if (row["updates"], row["lag"]) == ("0", "0")]
        assert found["error_signal"]["start"][0] == pytest.approx(np.mean(first))
        num_steps = small_config(*TINY[len(SMALL) :]).graph.num_steps
        exact = found["cosine"][f"tf_style (depth {num_steps})"]
        assert exact == {"start": pytest.approx(1), "end": pytest.approx(1)}

    def test_training_that_diverges_exits_1_with_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        changes = ("optimizer.kind=sgd", "optimizer.learning_rate=1e38")
        assert run.main(["gradients", "r2rt_n5", *TINY, *changes, "--out", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: seed 0: the loss or a weight was not finite by update ")

    @pytest.mark.parametrize(
        ("values", "shown"),
        [
            ([1e-12, 0.0], "under 1e-09"),
            ([-1.0, -0.5], "-0.75 (-1–-0.5)"),  # cosines of opposite gradients
        ],
    )
    def test_only_what_is_near_0_is_rounding(self, values: list[float], shown: str) -> None:
        assert spread_of(np.array(values)) == shown

    def test_padded_examples_are_measured(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        changes = ("training.epochs=1", "training.validate_every=null")
        assert run.main(["gradients", "captions", *changes, "--out", str(tmp_path)]) == 0
        with open(tmp_path / "gradients.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        lags = {int(row["lag"]) for row in rows if row["quantity"] == "error_signal"}
        assert all(np.isfinite(float(row["value"])) for row in rows)
        assert f"at lag {max(lags)}" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (("training.validate_every=10", "training.patience=2"), "training.patience: gradients"),
            (("model.bidirectional=true",), "model.bidirectional: its errors"),
            (
                ("truncation.kind=true_bptt", "truncation.depth=3", "truncation.context=true"),
                "truncation.context: an example has no steps before its first",
            ),
        ],
    )
    def test_what_cannot_be_measured_leaves_no_folder(
        self,
        changes: tuple[str, ...],
        message: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "out"
        assert run.main(["gradients", "digits_small", *changes, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()

    def test_a_loss_that_depends_on_all_outputs_has_no_lag(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Its window has no lengths, so that the outputs of the padding would count."""
        out = tmp_path / "out"
        arguments = ["gradients", "matching", *ONE_DIRECTION, "--out", str(out)]
        assert run.main(arguments) == 2
        assert "the loss of matching depends on all outputs" in capsys.readouterr().err
        assert not out.exists()

    def test_folder_that_cannot_be_made_is_a_usage_error_before_training(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match=r"--out .*: cannot be made: Not a directory"):
            gradients(small_config(), tmp_path / "file" / "out")
        assert capsys.readouterr().out == ""
