"""The gradient that training begins with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.streams import training_stream
from experiments.config.schema import Config
from experiments.training.session import TrainingSession, build, session_options, shape_of
from experiments.training.window_session import WindowSession
from experiments.training.workload import make_workload
from rnn_graphs.graphs.gradients import build_gradient_graph


def first_gradient(config: Config, seed: int) -> NDArray[np.float64]:
    """The full gradient of a seed's first batch at its first weights, in float64. [parameters].

    Nothing is dropped, and no error is cut off.
    """
    workload = make_workload(config)
    with TrainingSession(build(config, workload), 1) as training:
        training.initialize(seed)
        weights = training.variables()
    rows = workload.draw(training_stream(seed), config.graph.batch_size)
    window = rows.windows(0, 1, config.graph.num_steps)
    shape = shape_of(workload.task, config.training.carry_state)
    graph = build_gradient_graph(config.model, config.graph, shape, [])
    with WindowSession(graph, session_options(1)) as session:
        session.restore(weights)
        ((_, gradient),) = session.in_turn(graph.full, [session.feeds(window)])
    return np.asarray(gradient)
