"""A session that measures a model on consecutive windows.

Each is fed with the state before it. The graphs are float64, whatever the run's precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.batching import Windows
from data.task import Array
from experiments.training.session import GraphSession
from rnn_graphs.graphs.carried import CarriedGraph
from rnn_graphs.graphs.gradients import GradientGraph
from rnn_graphs.graphs.signal import SignalGraph
from rnn_graphs.tf1 import tf

Feeds = dict[Any, Array]  # by placeholder


class WindowSession(GraphSession):
    """A session on a graph of one window."""

    def __init__(
        self, graph: CarriedGraph | GradientGraph | SignalGraph, options: tf.ConfigProto
    ) -> None:
        super().__init__(graph.graph, graph.snapshot, options)
        self._window = graph.window
        self._before = tf.nest.flatten((graph.window.state, graph.window.influence))
        self._first = tf.nest.flatten(graph.first_state)
        self._next = tf.nest.flatten(graph.next_state)

    def restore(self, variables: dict[str, NDArray[Any]]) -> None:
        """Set every variable of the graph from one of any precision: widening is exact.

        Raises ValueError where names or shapes are not this graph's.
        """
        own = [name for name in self.names if name in variables]
        super().restore({name: variables[name].astype(np.float64) for name in own})

    def feeds(self, window: Windows) -> Feeds:
        """The data of one window, time first; weights where the graph takes them."""
        into = self._window
        feeds = {into.inputs: window.inputs.swapaxes(0, 1), into.labels: window.labels.T}
        if into.weights is not None and window.weights is not None:
            feeds[into.weights] = window.weights.T
        return feeds

    def in_turn(self, fetches: Any, windows: Iterable[Feeds]) -> Iterator[tuple[Feeds, Any]]:
        """The feeds of each window with the state before it, and what is fetched there."""
        state = self._session.run(self._first)
        for window in windows:
            feeds = window | dict(zip(self._before, state, strict=True))
            found, state = self._session.run((fetches, self._next), feeds)
            yield feeds, found
