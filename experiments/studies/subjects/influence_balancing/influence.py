"""Influence balancing: the influence of θ that each style of truncation sees.

At a settled state every loss has the same error s_1 − 1, and the gradient for θ is that error
times the influence that the style sees, the mean over losses t of

    Σ_s M[t,s] · e_1ᵀ A^{t−s} b

with the credit matrix M. The whole sum is −6; its first terms are positive.
Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time", section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnn_graphs.config import ModelConfig, TruncationConfig

StyleName = Literal["bptt", "tf_style", "williams_peng"]
UNITS = 23
THETA = 0.5  # where training starts
OPTIMUM = -1 / 6  # of θ: its influence in the long run is −6, and s_1 is to be 1


def style_and_window(name: StyleName, depth: int) -> tuple[TruncationConfig, int]:
    """The style of a name at a depth, and the num_steps of the window that it is measured on.

    bptt is BPTT(depth; 1), for one loss of full depth. tf_style: a window of depth steps.
    williams_peng: BPTT(2·depth − 1; depth), which takes each error back by depth at least.
    """
    match name:
        case "bptt":
            return TruncationConfig(kind="true_bptt", depth=depth, context=True), 1
        case "tf_style":
            return TruncationConfig(kind="tf_style"), depth
        case "williams_peng":
            truncation = TruncationConfig(
                kind="williams_peng", depth=2 * depth - 1, stride=depth, context=True
            )
            return truncation, depth


def exact_influence(name: StyleName, depths: Sequence[int]) -> NDArray[np.float64]:
    """The influence that the style sees at each depth, by algebra: [depths]."""
    by_depth = np.cumsum(
        influences_by_lag(2 * max(depths))
    )  # of an error that goes back 1, 2, … applications
    losses = {
        "bptt": [slice(depth - 1, depth) for depth in depths],
        "tf_style": [slice(0, depth) for depth in depths],
        "williams_peng": [slice(depth - 1, 2 * depth - 1) for depth in depths],
    }
    return np.array([by_depth[each].mean() for each in losses[name]])


def influences_by_lag(count: int) -> NDArray[np.float64]:
    """e_1ᵀ A^j b for j = 0 … count − 1."""
    A, b = _system()
    found = []
    for _ in range(count):
        found.append(b[0])
        b = A @ b
    return np.array(found)


def measured_influence(
    truncation: TruncationConfig, num_steps: int, batch_size: int = 1, key: int = 0
) -> float:
    """The influence that the production gradient of a style shows, at the settled state.

    The mean over `num_steps` losses and `batch_size` rows; `key` chooses the gates of ARTBP.
    """
    from rnn_graphs.model import Model, TaskShape  # TensorFlow takes seconds to import
    from rnn_graphs.tf1 import tf
    from rnn_graphs.truncation.step import Window, make_step

    settled = _settled_state(THETA)
    length = truncation.context_steps + num_steps
    with tf.Graph().as_default(), tf.Session() as session:
        config = ModelConfig(cell="influence_balancing", state_size=UNITS)
        model = Model(config, TaskShape(1, 1, labels="values"), tf.float64)
        window = Window(
            tf.zeros([length, batch_size], tf.int32),
            tf.ones([num_steps, batch_size], tf.float64),
            tf.constant(np.tile(settled, (batch_size, 1))),
            tf.constant([key, 0]),
        )
        step = make_step(model, model.unrolls["dynamic"], truncation)(window)
        session.run(tf.global_variables_initializer())
        gradient = float(session.run(step.gradients[0]))
    return gradient / float(settled[0] - 1)


def _system() -> tuple[NDArray[np.float64], NDArray[Any]]:
    """A [n, n] and b [n] of the task, written down once more, apart from the cell's own."""
    A = 0.5 * (np.eye(UNITS) + np.eye(UNITS, k=1))
    return A, np.array([1.0] * 10 + [-1.0] * (UNITS - 10))


def _settled_state(theta: float) -> NDArray[np.float64]:
    A, b = _system()
    return np.asarray(np.linalg.solve(np.eye(UNITS) - A, theta * b), np.float64)
