"""The first state: learned, with noise, where windows start anew, and that it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import training_stream
from data.task import Examples
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.training.evaluator import Evaluator
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig, TruncationConfig, Unroll
from rnn_graphs.first_state import FirstState
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape, make_cell
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.gates import draw_gates
from rnn_graphs.truncation.step import Window, make_step
from rnn_graphs.window_start import from_first_state
from tests import layers_reference
from tests.conftest import small_config
from tests.graphs import close, draw_example

TIME, BATCH, KEY = 6, 3, (4, 9)
TINY = 1e-30
ANEW = TaskShape(3, 2, resets_state=True)


class Ran:
    """One step of a learned first state: its gradient, and the reference's errors at the state."""

    def __init__(self, config: ModelConfig, unroll: Unroll, truncation: TruncationConfig) -> None:
        example, stream = draw_example(3, time=TIME, batch=BATCH), np.random.default_rng(2)
        with tf.Graph().as_default(), tf.Session() as session:
            model = Model(config, ANEW, tf.float64)
            self.states = [v for v in model.variables if "/initial_state/" in v.name]
            window = Window(
                tf.constant(example.inputs),
                tf.constant(example.labels),
                model.zero_state(BATCH),
                tf.constant(KEY),
            )
            step = make_step(model, model.unrolls[unroll], truncation)
            found = from_first_state(model, step)(window)
            snapshot = make_snapshot(model.variables)
            weights = [stream.normal(0, 0.5, one.shape) for one in snapshot.values.values()]
            session.run(snapshot.restore, dict(zip(snapshot.values.values(), weights, strict=True)))
            self.losses, gradients, errors, softmax = session.run(
                (
                    found.losses,
                    found.gradients,
                    tf.gradients(found.loss, found.logits)[0],
                    model.head.W,
                )
            )
            self.output_errors = errors @ softmax.T  # [time, batch, units]
        count = len(self.states)
        self.gradients = gradients[-count:]
        self.expected_losses, self.errors = _errors_at_the_state(
            config, weights[:-count], weights[-count:], example
        )


def _errors_at_the_state(
    config: ModelConfig, weights: list[Any], states: list[Any], example: Any
) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Losses, and ∂L_t/∂h₀ of each unit of each part, [time, batch, size], by complex steps."""
    rows = [np.tile(state.astype(complex), [BATCH, 1]) for state in states]

    def losses(state: list[NDArray[Any]]) -> NDArray[Any]:
        at = [weight[None].astype(complex) for weight in weights]
        found, _ = layers_reference.forward(config, lambda _: at, example._replace(state=state))
        result: NDArray[Any] = found[0]
        return result

    errors = []
    for part, state in enumerate(rows):
        units = []
        for unit in range(state.shape[1]):
            moved = [leaf.copy() for leaf in rows]
            moved[part][:, unit] += TINY * 1j
            units.append(losses(moved).imag / TINY)
        errors.append(np.stack(units, -1))
    return losses(rows).real, errors


GRU: dict[str, Any] = {"cell": "gru", "state_size": 3}
LSTMS: dict[str, Any] = {"cell": "lstm", "state_size": (3, 2), "projection": 2, "embedding": 2}


@pytest.mark.parametrize(
    ("keys", "unroll", "style"),
    [
        (GRU, "scan", {"kind": "full"}),
        (LSTMS, "dynamic", {"kind": "tf_style", "depth": 3}),
        (LSTMS, "dynamic", {"kind": "true_bptt", "depth": 2}),
        (GRU, "scratch", {"kind": "true_bptt", "depth": 3}),
        (GRU, "static", {"kind": "williams_peng", "depth": 4, "stride": 2}),
    ],
    ids=str,
)
def test_its_gradient_is_the_error_that_the_style_lets_reach_the_first_step(
    keys: dict[str, Any], unroll: Unroll, style: dict[str, Any]
) -> None:
    truncation = TruncationConfig(**style)
    ran = Ran(ModelConfig(**keys, initial_state="learned"), unroll, truncation)
    close(ran.losses, ran.expected_losses)
    credit = definition(truncation, TIME)[:, 0]
    for ours, errors in zip(ran.gradients, ran.errors, strict=True):
        close(ours, np.tensordot(credit, errors.sum(axis=1), 1) / (TIME * BATCH))
        assert abs(ours).max() > 1e-4


@pytest.mark.parametrize(
    ("keys", "style"),
    [
        (GRU, {"kind": "rtrl"}),
        (GRU, {"kind": "uoro"}),
        (GRU, {"kind": "snap", "order": 1}),
        ({"cell": "scratch", "state_size": 3}, {"kind": "kf_rtrl"}),
    ],
    ids=str,
)
def test_an_influence_lets_all_of_the_error_reach_it(
    keys: dict[str, Any], style: dict[str, Any]
) -> None:
    """No window starts from an earlier one, so that nothing is left out or estimated."""
    ran = Ran(ModelConfig(**keys, initial_state="learned"), "static", TruncationConfig(**style))
    for ours, errors in zip(ran.gradients, ran.errors, strict=True):
        close(ours, errors.sum(axis=(0, 1)) / (TIME * BATCH))
        assert abs(ours).max() > 1e-4


def test_under_rflo_only_the_leak_reaches_it() -> None:
    """λ^(t+1) of the error at each output, ∂L_t/∂h_t = (p_t − y_t) Wᵀ / (time · batch)."""
    config, leak = ModelConfig(**GRU, initial_state="learned"), 0.5
    ran = Ran(config, "static", TruncationConfig(kind="rflo", leak=leak))
    at_outputs = ran.output_errors.sum(axis=1)  # [time, units]
    close(ran.gradients[0], np.tensordot(leak ** np.arange(1, TIME + 1.0), at_outputs, 1))


def test_random_cuts_may_fall_before_the_first_step_too() -> None:
    truncation = TruncationConfig(kind="artbp", cut_probability=0.3)
    ran = Ran(ModelConfig(**GRU, initial_state="learned"), "static", truncation)
    with tf.Graph().as_default(), tf.Session() as session:
        gates = session.run(draw_gates(0.3, [TIME, BATCH], tf.constant(KEY), tf.float64))
    passes = np.cumprod(gates, axis=0)  # [t, batch]: every boundary from the state to step t
    expected = (passes[..., None] * ran.errors[0]).sum(axis=(0, 1)) / (TIME * BATCH)
    close(ran.gradients[0], expected)
    assert (passes == 0).any()
    assert abs(expected).max() > 1e-4


def rows_of(config: ModelConfig, *keys: tuple[int, int] | None) -> list[list[NDArray[Any]]]:
    """The first state of an LSTM with 2,000 rows, [keys][part], before training."""
    with tf.Graph().as_default(), tf.Session() as session:
        first = FirstState(config, make_cell(config, 3, tf.float64), tf.float64)
        session.run(tf.global_variables_initializer())
        made = [first.rows(2000, None if key is None else tf.constant(key)) for key in keys]
        return [session.run(tf.nest.flatten(rows)) for rows in made]


def test_the_noise_of_a_key_is_that_of_every_version() -> None:
    """Philox, and salts below the seed: a run that is resumed must find the same numbers."""
    config = ModelConfig(cell="basic_lstm", state_size=3, initial_state="noisy", initial_noise=0.5)
    (found,) = rows_of(config, (1, 2))
    with tf.Graph().as_default(), tf.Session() as session:
        for part, salt in zip(found, (-1_000_003, -2_000_006), strict=True):
            expected = tf.random.stateless_normal(
                [2000, 3], [1 + salt, 2], 0.0, 0.5, tf.float64, alg="philox"
            )
            np.testing.assert_array_equal(part, session.run(expected))


def test_noise_has_its_deviation_is_drawn_from_the_key_and_none_is_left_outside_training() -> None:
    config = ModelConfig(
        cell="lstm", state_size=3, projection=2, initial_state="learned_noisy", initial_noise=0.5
    )
    first, same, later, quiet = rows_of(config, (1, 2), (1, 2), (1, 3), None)
    for part, again, other, silent in zip(first, same, later, quiet, strict=True):
        np.testing.assert_array_equal(part, again)
        assert not np.any(part == other)
        assert not silent.any()
        count = part.size
        assert abs(part.mean()) < 5 * 0.5 / count**0.5
        assert abs(part.std() - 0.5) < 5 * 0.5 / (2 * count) ** 0.5
    shared = np.corrcoef(first[0][:, :2].ravel(), first[1].ravel())[0, 1]
    assert abs(shared) < 5 / 4000**0.5
    assert config.without_dropout.initial_state == "learned"


LEARNED = (
    "training.carry_state=false", "model.initial_state=learned", "optimizer.kind=sgd",
    "graph.precision=float64",
)  # fmt: skip


@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("loop", ["in_graph", "per_step"])
def test_training_moves_it_and_carries_nothing(loop: str, xla: str) -> None:
    """Two windows with the same weights give the same losses in either order: no state is left."""
    config = small_config(*LEARNED, f"execution.loop={loop}", f"execution.xla={xla}")
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        before = session.variables()
        assert not before["model/initial_state/part_0"].any()
        first = session.train(rows.windows(0, 1, 5), 1)["loss"]
        after = session.variables()
        session.initialize(0)
        session.train(rows.windows(7, 1, 5), 1)
        session.restore(before)
        np.testing.assert_array_equal(session.train(rows.windows(0, 1, 5), 1)["loss"], first)
    assert after["model/initial_state/part_0"].any()
    assert not any(value.any() for name, value in after.items() if name.startswith("state/"))


def test_held_out_data_are_read_in_windows_that_start_from_it() -> None:
    """Each window as an example of its own: the mean over all of them, at any batch size."""
    config = small_config(*LEARNED)
    task = make_workload(config).task
    drawn = task.evaluation("fresh", training_stream(1))
    short = drawn._replace(inputs=drawn.inputs[:1003], labels=drawn.labels[:1003])
    whole = 1000
    alone = Examples(
        short.inputs[:whole].reshape(-1, 5),
        short.labels[:whole].reshape(-1, 5),
        np.ones([200, 5], np.float32),
        np.full(200, 5, np.int32),
    )
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(3)
        variables = session.variables()
    variables["model/initial_state/part_0"] = np.array([0.9, -0.8, 0.7, -0.6])
    with Evaluator(config, task) as evaluator:
        evaluator.restore(variables)
        first, second = (evaluator.evaluate(short, size) for size in (7, 40))
        assert first.time_steps == 1003
        assert first.loss == pytest.approx(second.loss, abs=1e-12)
        exact = short._replace(inputs=short.inputs[:whole], labels=short.labels[:whole])
        expected = evaluator.evaluate(alone, 200).loss
        assert evaluator.evaluate(exact, 7).loss == pytest.approx(expected, abs=1e-12)
        np.testing.assert_allclose(
            evaluator.probabilities(exact, 1).reshape(whole, 2),
            evaluator.probabilities(alone, 200).reshape(whole, 2),
            atol=1e-12,
        )


@pytest.mark.parametrize(
    ("experiment", "overrides", "message"),
    [
        ("r2rt_n5", ["model.initial_state=learned"], "model.initial_state: binary_dependency"),
        (
            "digits_bidirectional",
            ["model.initial_state=learned"],
            "model.initial_state: bidirectional",
        ),
        ("digits_small", ["training.carry_state=false"], "training.carry_state: each example"),
        (
            "copy_memory",
            ["training.carry_state=false"],
            "truncation.context: it continues a state that is carried",
        ),
        (
            "r2rt_n5",
            [
                "training.carry_state=false",
                "truncation={kind: adaptive, tolerance: 0.5, least: 1, most: 5}",
            ],
            "truncation.kind: its credit reaches beyond .* got adaptive",
        ),
        (
            "r2rt_n5",
            ["training.carry_state=false", "truncation.kind=rtrl"],
            "truncation.kind: its credit reaches beyond .* got rtrl",
        ),
        (
            "text_python_docs",
            ["training.carry_state=false", "task.held_out_rows=2"],
            "task.held_out_rows: where training.carry_state is false",
        ),
        ("digits_small", ["model.initial_state=noisy"], "initial_noise: noisy needs one"),
        ("digits_small", ["model.initial_noise=1"], "initial_noise: zero takes none"),
    ],
)
def test_what_does_not_apply_is_refused(
    experiment: str, overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_workload(load_config(experiment, overrides))
