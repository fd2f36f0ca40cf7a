"""experiments/training/window_session.py: which state a window starts from, and whose weights."""

from __future__ import annotations

import numpy as np
import pytest

from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.training.session import TrainingSession, build, session_options, shape_of
from experiments.training.window_session import WindowSession
from experiments.training.workload import make_workload
from rnn_graphs.graphs.signal import build_signal_graph
from tests.conftest import SMALL


@pytest.mark.parametrize(("carry", "carried"), [("true", True), ("false", False)])
def test_a_window_starts_from_the_state_before_it_unless_windows_start_anew(
    carry: str, carried: bool
) -> None:
    config = load_config("r2rt_n5", [*SMALL, f"training.carry_state={carry}"])
    work = make_workload(config)
    with TrainingSession(build(config, work), 1) as training:
        training.initialize(0)
        weights = training.variables()
    rows = work.draw(training_stream(0), config.graph.batch_size)
    windows = [rows.windows(number, 1, config.graph.num_steps) for number in range(2)]
    shape = shape_of(work.task, config.training.carry_state)
    graph = build_signal_graph(config.model, config.graph, shape)
    with WindowSession(graph, session_options(1)) as session:
        session.restore(weights)  # float32, and the optimizer's slots among them
        states = [
            feeds[graph.window.state]
            for feeds, _ in session.in_turn(graph.losses, map(session.feeds, windows))
        ]
    np.testing.assert_array_equal(states[0], 0)
    assert bool(states[1].any()) is carried
