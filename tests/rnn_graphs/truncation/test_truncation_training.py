"""Training with each style: the same losses however it is unrolled, looped and compiled."""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from tests.conftest import small_config

UPDATES = 30
NUM_STEPS = 6  # two blocks of depth 3; one of depth 4 and a shorter one

STYLES = {
    "full": "{kind: full}",
    "tf_style": "{kind: tf_style, depth: 3}",
    "true_bptt": "{kind: true_bptt, depth: 3}",
    "true_bptt_context": "{kind: true_bptt, depth: 3, context: true}",
    "williams_peng": "{kind: williams_peng, depth: 4, stride: 2}",
    "williams_peng_context": "{kind: williams_peng, depth: 4, stride: 2, context: true}",
    "artbp": "{kind: artbp, cut_probability: 0.3}",
}


class Execution(NamedTuple):
    """One way to train."""

    loop: str
    unroll: str
    xla: str


REFERENCE = Execution("per_step", "scratch", "off")
# Every loop, and every unroll, is in one of these or in the reference.
PLAIN = (Execution("in_graph", "static", "off"), Execution("per_step", "dynamic", "off"))
ALL_COMPILED = [
    Execution(loop, unroll, "on")
    for loop in ("in_graph", "per_step")
    for unroll in ("static", "dynamic", "scratch")
]
ALL = [*ALL_COMPILED, *[execution._replace(xla="off") for execution in ALL_COMPILED]]
# Each style once, and each way to compile once; artbp cuts elsewhere under XLA.
COMPILED = list(zip([style for style in STYLES if style != "artbp"], ALL_COMPILED, strict=True))


def name(part: str | Execution) -> str:
    return part if isinstance(part, str) else "-".join(part)


def train(style: str, execution: Execution) -> NDArray[np.floating]:
    """The losses of the first updates from seed 0."""
    config = small_config(
        f"graph.num_steps={NUM_STEPS}",
        f"truncation={STYLES[style]}",
        f"execution.loop={execution.loop}",
        f"graph.unroll={execution.unroll}",
        f"execution.xla={execution.xla}",
    )
    work, context = make_workload(config), config.truncation.context_steps
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        count = session.iterations
        parts = [
            session.train(rows.windows(first, count, NUM_STEPS, context), count)["loss"]
            for first in range(0, UPDATES, count)
        ]
    return np.concatenate(parts)


@functools.cache
def reference(style: str) -> NDArray[np.floating]:
    return train(style, REFERENCE)


def assert_same_curve(style: str, execution: Execution) -> None:
    ours = train(style, execution)
    assert ours.shape == (UPDATES,)
    np.testing.assert_allclose(ours, reference(style), rtol=0, atol=1e-5)


@pytest.mark.parametrize("execution", PLAIN, ids=name)
@pytest.mark.parametrize("style", STYLES)
def test_loop_and_unroll_do_not_change_the_losses(style: str, execution: Execution) -> None:
    assert_same_curve(style, execution)


@pytest.mark.parametrize(("style", "execution"), COMPILED, ids=name)
def test_compiling_does_not_change_the_losses(style: str, execution: Execution) -> None:
    assert_same_curve(style, execution)


@pytest.mark.slow
@pytest.mark.parametrize("execution", ALL, ids=name)
@pytest.mark.parametrize("style", STYLES)
def test_no_way_to_train_changes_the_losses(style: str, execution: Execution) -> None:
    if style == "artbp" and execution.xla == "on":
        losses = train(style, execution)
        assert np.isfinite(losses).all()
        assert np.abs(losses - reference(style)).max() > 1e-5  # other cuts of the same law
    else:
        assert_same_curve(style, execution)


def test_each_style_has_a_curve_of_its_own() -> None:
    """Otherwise the tests above would pass even if the style were ignored."""
    without_context = [style for style in STYLES if "context" not in style]
    for one, other in itertools.combinations(without_context, 2):
        assert np.abs(reference(one) - reference(other)).max() > 1e-4, (one, other)
    for style in ("true_bptt", "williams_peng"):
        assert np.abs(reference(style) - reference(f"{style}_context")).max() > 1e-4
