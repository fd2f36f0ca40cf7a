"""Influence balancing: what each style makes of the gradient, measured and by algebra.

At a settled state every loss has the same error s_1 − 1, and the gradient for θ is that error
times the influence that the style sees, the mean over losses t of

    Σ_s M[t,s] · e_1ᵀ A^{t−s} b

with the credit matrix M. The whole sum is −6; its first terms are positive.
Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time", section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.claims import Measured
from experiments.runs import checkpoints
from experiments.runs.run import Run
from experiments.statistics.intervals import mean_interval
from rnn_graphs.config import ModelConfig, TruncationConfig

Runs = Mapping[str, Run]
UNITS = 23
THETA = 0.5  # where training starts
OPTIMUM = -1 / 6  # of θ: its influence in the long run is −6, and s_1 is to be 1
ROWS = 1000  # of random gates at a time
DRAWS = 20  # of so many rows


class Style(NamedTuple):
    """A truncation, and the window that it is measured on."""

    truncation: TruncationConfig
    num_steps: int


def style(name: str, depth: int) -> Style:
    """The style of a name at a depth: bptt is BPTT(depth; 1), for one loss of full depth.

    tf_style: a window of depth steps. williams_peng: BPTT(2·depth − 1; depth), which takes
    each error back by depth at least.
    """
    match name:
        case "bptt":
            return Style(TruncationConfig(kind="true_bptt", depth=depth, context=True), 1)
        case "tf_style":
            return Style(TruncationConfig(kind="tf_style"), depth)
        case "williams_peng":
            kind = TruncationConfig(
                kind="williams_peng", depth=2 * depth - 1, stride=depth, context=True
            )
            return Style(kind, depth)
    raise ValueError(f"style: expected bptt, tf_style or williams_peng; got {name}")


def exact(name: str, depths: Sequence[int]) -> NDArray[np.float64]:
    """The influence that the style sees at each depth, by algebra: [depths]."""
    by_reach = np.cumsum(influences(2 * max(depths)))  # of an error that goes back 1, 2, … steps
    reached = {
        "bptt": [slice(depth - 1, depth) for depth in depths],
        "tf_style": [slice(0, depth) for depth in depths],
        "williams_peng": [slice(depth - 1, 2 * depth - 1) for depth in depths],
    }
    return np.array([by_reach[each].mean() for each in reached[name]])


def influences(count: int) -> NDArray[np.float64]:
    """e_1ᵀ A^j b for j = 0 … count − 1."""
    A, b = _system()
    found = []
    for _ in range(count):
        found.append(b[0])
        b = A @ b
    return np.array(found)


def measure(chosen: Style, batch_size: int = 1, key: int = 0) -> float:
    """The influence that the production gradient of a style shows, at the settled state."""
    from rnn_graphs.model import Model, TaskShape  # TensorFlow takes seconds to import
    from rnn_graphs.tf1 import tf
    from rnn_graphs.truncation.step import Window, make_step

    settled = _settled_state(THETA)
    length = chosen.truncation.context_steps + chosen.num_steps
    with tf.Graph().as_default(), tf.Session() as session:
        config = ModelConfig(cell="influence_balancing", state_size=UNITS)
        model = Model(config, TaskShape(1, 1, labels="values"), tf.float64)
        window = Window(
            tf.zeros([length, batch_size], tf.int32),
            tf.ones([chosen.num_steps, batch_size], tf.float64),
            tf.constant(np.tile(settled, (batch_size, 1))),
            tf.constant([key, 0]),
        )
        step = make_step(model, model.unrolls["dynamic"], chosen.truncation)(window)
        session.run(tf.global_variables_initializer())
        gradient = float(session.run(step.gradients[0]))
    return gradient / float(settled[0] - 1)


def long_run(_runs: Runs, expected: float, depth: int) -> Measured:
    """The influence of θ in the long run, by the gradient of one loss at a great depth."""
    found = measure(style("bptt", depth))
    holds = abs(found - expected) < 1e-9
    return Measured(found, None, None, 0, holds, f"gradient of BPTT({depth}; 1) / (s_1 − 1)")


def turns(_runs: Runs, _expected: str, name: str, wrong: int, right: int) -> Measured:
    """The style has the wrong sign at one depth and the right one at another, as algebra says."""
    found = np.array([measure(style(name, depth)) for depth in (wrong, right)])
    by_algebra = exact(name, (wrong, right))
    holds = found[0] > 0 > found[1] and bool(np.allclose(found, by_algebra, rtol=0, atol=1e-9))
    text = f"{found[0]:+.4f} at {wrong}, {found[1]:+.4f} at {right}"
    note = f"influence seen; by algebra {by_algebra[0]:+.6f} and {by_algebra[1]:+.6f}"
    return Measured(text, None, None, 0, holds, note)


def unbiased(
    _runs: Runs, _expected: str, cut_probability: float, num_steps: int
) -> Measured:  # fmt: skip
    """ARTBP's mean over many random cuts is the full gradient of the window."""
    artbp = TruncationConfig(kind="artbp", cut_probability=cut_probability)
    draws = [measure(Style(artbp, num_steps), ROWS, key) for key in range(DRAWS)]
    full = measure(Style(TruncationConfig(kind="full"), num_steps))
    mean, low, high = mean_interval(draws)
    note = f"mean of {ROWS * DRAWS} draws, 95 % interval; the full gradient is {full:.4f}"
    holds = low is not None and high is not None and low <= full <= high
    return Measured(mean, low, high, 0, holds, note)


def ends_at_optimum(runs: Runs, expected: float, run: str, tolerance: float) -> Measured:
    """Training brings θ to its optimum, in every seed."""
    thetas = final_thetas(runs[run])
    mean, low, high = _mean_and_range(thetas)
    holds = all(abs(theta - expected) <= tolerance for theta in thetas)
    note = f"θ after training, mean and range; every seed within {tolerance:g}"
    return Measured(mean, low, high, len(thetas), holds, note)


def moves_away(runs: Runs, _expected: str, run: str) -> Measured:
    """Training takes θ further from its optimum than it began, in every seed."""
    thetas = final_thetas(runs[run])
    mean, low, high = _mean_and_range(thetas)
    holds = all(abs(theta - OPTIMUM) > abs(THETA - OPTIMUM) for theta in thetas)
    return Measured(
        mean,
        low,
        high,
        len(thetas),
        holds,
        f"θ after training, mean and range; it began at {THETA}",
    )


def final_thetas(run: Run) -> list[float]:
    """θ of each seed's last checkpoint."""
    thetas = []
    for seed in run.config.seeds:
        checkpoint = checkpoints.newest(run.directory.checkpoints, seed).checkpoint
        if checkpoint is not None:
            (theta,) = (v for name, v in checkpoint.variables.items() if name.endswith("/theta"))
            thetas.append(float(theta))
    return thetas


def _mean_and_range(thetas: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The mean, and where there are several seeds the least and the greatest."""
    several = len(thetas) > 1
    return (
        float(np.mean(thetas)),
        min(thetas) if several else None,
        max(thetas) if several else None,
    )


def _system() -> tuple[NDArray[np.float64], NDArray[Any]]:
    """A [n, n] and b [n] of the task, written down once more, apart from the cell's own."""
    A = 0.5 * (np.eye(UNITS) + np.eye(UNITS, k=1))
    return A, np.array([1.0] * 10 + [-1.0] * (UNITS - 10))


def _settled_state(theta: float) -> NDArray[np.float64]:
    A, b = _system()
    return np.asarray(np.linalg.solve(np.eye(UNITS) - A, theta * b), np.float64)
