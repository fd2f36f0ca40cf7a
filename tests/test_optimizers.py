"""Every optimizer, in the whole training graph, against its update rule in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.session import TrainingSession, build
from experiments.workload import make_workload
from rnn_graphs.config import KEYS_OF_KIND
from tests.conftest import small_config
from tests.numpy_reference import Updater, Weights, train_step

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


def test_every_kind_is_tried() -> None:
    (mark,) = [
        mark
        for mark in test_updates_follow_the_rule.pytestmark  # type: ignore[attr-defined]
        if "kind" in str(mark.args[0])
    ]
    assert {case[0] for case in mark.args[1]} == set(KEYS_OF_KIND)
