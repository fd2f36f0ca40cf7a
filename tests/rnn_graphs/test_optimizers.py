"""Every optimizer, in the whole training graph, against its update rule in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import KEYS_OF_KIND
from rnn_graphs.optimizers import Updater as OurUpdater
from rnn_graphs.tf1 import tf
from tests.conftest import small_config
from tests.numpy_reference import Updater, Weights, forward, probabilities, train_step

UPDATES_PER_RUN = 4
RUNS = 3


@pytest.mark.parametrize("loop", ["in_graph", "per_step"])
@pytest.mark.parametrize(
    ("kind", "rate", "changed"),
    [
        ("sgd", 0.5, {}),
        ("momentum", 0.3, {}),
        ("momentum", 0.3, {"momentum": 0.5}),
        ("adagrad", 0.1, {}),
        ("adagrad", 0.1, {"initial_accumulator": 0.01}),
        ("adam", 0.05, {}),
        ("adam", 0.05, {"beta1": 0.5, "beta2": 0.7, "epsilon": 0.01}),
        ("rmsprop", 0.02, {}),
        ("rmsprop", 0.02, {"decay": 0.6, "momentum": 0.8, "epsilon": 0.01}),
    ],
)
def test_updates_follow_the_rule(
    loop: str, kind: str, rate: float, changed: dict[str, float]
) -> None:  # fmt: skip
    config = small_config(
        "graph.precision=float64", f"execution.loop={loop}", f"optimizer.kind={kind}",
        f"optimizer.learning_rate={rate}", f"execution.iterations_per_loop={UPDATES_PER_RUN}",
        *[f"optimizer.{key}={value}" for key, value in changed.items()],
    )  # fmt: skip
    work = make_workload(config)
    num_steps = config.graph.num_steps
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    settings = {"learning_rate": rate, **KEYS_OF_KIND[kind], **changed}
    updaters = [Updater(kind, **settings) for _ in Weights._fields]
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(3)
        weights = Weights(*list(session.variables().values())[:4])
        state = np.zeros([config.graph.batch_size, *config.model.state_sizes])
        for run in range(RUNS):
            losses = []
            for number in range(run * UPDATES_PER_RUN, (run + 1) * UPDATES_PER_RUN):
                window = rows.windows(number, 1, num_steps)
                step = train_step(weights, window.inputs.T, window.labels.T, state)
                weights = Weights(
                    *[
                        updater(weight, gradient)
                        for updater, weight, gradient in zip(
                            updaters, weights, step.gradients, strict=True
                        )
                    ]
                )
                state = step.final_state
                losses.append(step.loss)
            ours = []
            for first in range(0, UPDATES_PER_RUN, session.iterations):
                window = rows.windows(
                    run * UPDATES_PER_RUN + first, session.iterations, num_steps
                )  # fmt: skip
                ours += list(session.train(window, session.iterations)["loss"])
            np.testing.assert_allclose(ours, losses, rtol=0, atol=1e-10)
            variables = session.variables()
            values = list(variables.values())[:4]
            for name, value, expected in zip(Weights._fields, values, weights, strict=True):
                np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10, err_msg=name)
            np.testing.assert_allclose(variables["state/part_0"], state, rtol=0, atol=1e-10)


RATE, DECAY_RATE, DECAY_STEPS, CLIP = 0.5, 0.7, 3, 0.25


@pytest.mark.parametrize("execution", ["loop=in_graph", "loop=per_step", "xla=on"])
@pytest.mark.parametrize(
    ("staircase", "decayed"),
    [
        (False, lambda updates: RATE * DECAY_RATE ** (updates / DECAY_STEPS)),
        (True, lambda updates: RATE * DECAY_RATE ** (updates // DECAY_STEPS)),
    ],
    ids=["smooth", "staircase"],
)
def test_clipped_gradients_at_a_decaying_rate(
    execution: str, staircase: bool, decayed: Callable[[int], float]
) -> None:
    """The metrics are of what each update did: the norm before clipping, the rate it used."""
    config = small_config(
        "graph.precision=float64", "optimizer.kind=sgd", f"optimizer.learning_rate={RATE}",
        f"optimizer.clip_norm={CLIP}", f"optimizer.decay_rate={DECAY_RATE}",
        f"optimizer.decay_steps={DECAY_STEPS}", f"optimizer.staircase={staircase}",
        f"execution.{execution}", "execution.iterations_per_loop=5",
        "logging.metrics=[accuracy,gradient_norm,learning_rate]",
    )  # fmt: skip
    work = make_workload(config)
    num_steps, batch = config.graph.num_steps, config.graph.batch_size
    rows = cut_into_rows(work.task.draw(training_stream(0)), batch)
    state, clipped = np.zeros([batch, *config.model.state_sizes]), set()
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(1)
        weights = Weights(*list(session.variables().values())[:4])
        for first in range(0, 10, session.iterations):
            several = rows.windows(first, session.iterations, num_steps)
            measured = session.train(several, session.iterations)
            for place in range(session.iterations):
                window = rows.windows(first + place, 1, num_steps)
                inputs, labels = window.inputs.T, window.labels.T
                step = train_step(weights, inputs, labels, state)
                likeliest = probabilities(weights, forward(weights, inputs, state)).argmax(-1)
                norm = sum((part**2).sum() for part in step.gradients) ** 0.5
                found = {name: values[place] for name, values in measured.items()}
                assert found["loss"] == pytest.approx(step.loss, abs=1e-10)
                assert found["accuracy"] == pytest.approx((likeliest == labels).mean(), abs=1e-10)
                assert found["gradient_norm"] == pytest.approx(norm, abs=1e-10)
                assert found["learning_rate"] == pytest.approx(decayed(first + place), rel=1e-14)
                clipped.add(bool(norm > CLIP))
                rate = found["learning_rate"] * min(1, CLIP / norm)
                pairs = zip(weights, step.gradients, strict=True)
                weights = Weights(*[weight - rate * gradient for weight, gradient in pairs])
                state = step.final_state
        variables = session.variables()
        assert variables["updates"] == 10
        for value, expected in zip(list(variables.values())[:4], weights, strict=True):
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10)
        session.initialize(0)
        assert session.variables()["updates"] == 0
    assert clipped == {False, True}, "the bound must be one that some gradients pass"


@pytest.mark.parametrize(
    ("kind", "rate", "xla"),
    [("momentum", 0.1, "off"), ("adam", 0.01, "off"), ("rmsprop", 0.01, "on")],
)
def test_float64_has_no_float32_in_it(kind: str, rate: float, xla: str) -> None:
    """After 50 updates, weights and every hyperparameter are those of NumPy's float64."""
    updates, steps, fall = 50, 7, 0.7
    config = small_config(
        "graph.precision=float64", f"execution.xla={xla}", f"optimizer.kind={kind}",
        f"optimizer.learning_rate={rate}", f"optimizer.decay_rate={fall}",
        f"optimizer.decay_steps={steps}", "optimizer.staircase=true",
        f"execution.iterations_per_loop={updates}",
    )  # fmt: skip
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    settings = {"learning_rate": rate, **KEYS_OF_KIND[kind]}
    updaters = [Updater(kind, **settings) for _ in Weights._fields]
    state = np.zeros([config.graph.batch_size, *config.model.state_sizes])
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(3)
        weights = Weights(*list(session.variables().values())[:4])
        session.train(rows.windows(0, updates, config.graph.num_steps), updates)
        found = list(session.variables().values())[:4]
    for number in range(updates):
        window = rows.windows(number, 1, config.graph.num_steps)
        step = train_step(weights, window.inputs.T, window.labels.T, state)
        for updater in updaters:
            updater.rate = rate * fall ** (number // steps)
        changed = zip(updaters, weights, step.gradients, strict=True)
        weights = Weights(*[updater(weight, gradient) for updater, weight, gradient in changed])
        state = step.final_state
    for name, value, expected in zip(Weights._fields, found, weights, strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", sorted(KEYS_OF_KIND))
def test_float32_is_tensorflows_own_bit_for_bit(kind: str) -> None:
    """As an optimizer that is made of Python numbers, which TensorFlow reads as float32."""
    settings = {
        {"initial_accumulator": "initial_accumulator_value"}.get(key, key): value
        for key, value in KEYS_OF_KIND[kind].items()
    }
    name = {"sgd": "GradientDescent", "rmsprop": "RMSProp"}.get(kind, kind.capitalize())
    config = small_config(f"optimizer.kind={kind}", "optimizer.learning_rate=0.03").optimizer
    stream = np.random.default_rng(0)
    with tf.Graph().as_default(), tf.Session() as session:
        first = stream.normal(size=7).astype(np.float32)
        ours, theirs = (tf.get_variable(name, initializer=first) for name in ("ours", "theirs"))
        gradient = tf.placeholder(tf.float32, [7])
        plain = getattr(tf.train, f"{name}Optimizer")(0.03, **settings)
        both = [
            OurUpdater(config, [ours]).apply([gradient]),
            plain.apply_gradients([(gradient, theirs)]),
        ]
        session.run(tf.global_variables_initializer())
        for _ in range(20):
            session.run(both, {gradient: stream.normal(size=7)})
        np.testing.assert_array_equal(*session.run([ours, theirs]))


@pytest.mark.parametrize("kind", sorted(set(KEYS_OF_KIND) - {"sgd"}))
def test_every_kind_takes_clipping_and_decay(kind: str) -> None:
    """As under sgd above. Here a long first stair keeps the rate constant."""
    same = ("optimizer.decay_rate=0.5", "optimizer.decay_steps=6", "optimizer.staircase=true",
            "optimizer.clip_norm=1e9")  # fmt: skip
    losses = []
    for overrides in ((), same, ("optimizer.clip_norm=0.01",)):
        config = small_config(
            "graph.precision=float64", f"optimizer.kind={kind}", "optimizer.learning_rate=0.05",
            *overrides,
        )  # fmt: skip
        work = make_workload(config)
        rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
        with TrainingSession(build(config, work), 1) as session:
            session.initialize(0)
            losses.append(session.train(rows.windows(0, 10, config.graph.num_steps), 10)["loss"])
    plain, decayed, clipped = losses
    np.testing.assert_allclose(decayed[:7], plain[:7], rtol=0, atol=1e-12)  # 6 updates alike
    assert not np.isclose(decayed[7:], plain[7:], rtol=0, atol=1e-7).any()
    assert not np.isclose(clipped[1:], plain[1:], rtol=0, atol=1e-7).any()


def test_every_kind_is_tried() -> None:
    (mark,) = [
        mark
        for mark in test_updates_follow_the_rule.pytestmark  # type: ignore[attr-defined]
        if "kind" in str(mark.args[0])
    ]
    assert {case[0] for case in mark.args[1]} == set(KEYS_OF_KIND)
