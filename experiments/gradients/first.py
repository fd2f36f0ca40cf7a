"""The gradient that training begins with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.streams import training_stream
from experiments.config.schema import Config
from experiments.training.session import (
    GraphSession,
    TrainingSession,
    build,
    session_options,
    shape_of,
    window_feeds,
)
from experiments.training.workload import make_workload
from rnn_graphs.graphs.gradients import build_gradient_graph
from rnn_graphs.tf1 import tf


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
    with GraphSession(graph.graph, graph.snapshot, session_options(1)) as session:
        session.restore({name: value.astype(np.float64) for name, value in weights.items()})
        state = session.fetch(tf.nest.flatten(graph.first_state))
        feeds = dict(zip(tf.nest.flatten(graph.window.state), state, strict=True))
        feeds |= window_feeds(graph.window, window)
        gradient: NDArray[np.float64] = session.fetch(graph.full, feeds)
    return gradient
