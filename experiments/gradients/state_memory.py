"""How much of an earlier input a linear readout of the state knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import evaluation_stream
from data.task import Task
from experiments.config.schema import Config
from experiments.reporting.claims import NotRun
from experiments.training.session import GraphSession, session_options, shape_of
from rnn_graphs.graphs.state_batch import build_state_batch_graph

ROWS, STEPS, SETTLED = 50, 200, 50  # of fresh data; the first steps only fill the state


class StateBatchReader(GraphSession):
    """A session that computes a model's states on fresh data, for the weights of each seed."""

    def __init__(self, config: Config, task: Task) -> None:
        graph = build_state_batch_graph(config.model, config.graph, shape_of(task), STEPS, ROWS)
        super().__init__(graph.graph, graph.snapshot, session_options(config.execution.threads))
        self._graph = graph
        self._task = task

    def memory(self, variables: dict[str, NDArray[Any]], seed: int, lag: int) -> float:
        """The share of the variance of x(t − lag) that a least-squares readout of h_t explains.

        The readout is fitted on one half of the rows and judged on the other; it is at most 1.
        Raises NotRun where there are too few data.
        """
        sequence = self._task.evaluation(self._task.held_out[0], evaluation_stream(seed))
        if len(sequence.inputs) < ROWS * STEPS:
            raise NotRun(
                f"expected {ROWS * STEPS:,} symbols of {self._task.held_out[0]} data, to read "
                f"states on; found {len(sequence.inputs):,}"
            )
        inputs = cut_into_rows(sequence, ROWS).inputs[:, :STEPS].T
        self.restore(variables)
        states = self._session.run(self._graph.states, {self._graph.inputs: inputs})
        halves = (slice(None, ROWS // 2), slice(ROWS // 2, None))
        fit, judge = (readout_data(states[:, half], inputs[:, half], lag) for half in halves)
        weights = np.linalg.lstsq(*fit, rcond=None)[0]
        return explained(judge[0] @ weights, judge[1])


def readout_data(
    states: NDArray[Any], inputs: NDArray[Any], lag: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """States with a constant, [samples, units + 1], and the inputs `lag` steps earlier."""
    steps = np.arange(max(SETTLED, lag), len(states))
    rows = states[steps].reshape(-1, states.shape[-1]).astype(float)
    return np.hstack([rows, np.ones([len(rows), 1])]), inputs[steps - lag].reshape(-1).astype(float)


def explained(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """1 − (mean square error) / (variance)."""
    return float(1 - np.mean((found - wanted) ** 2) / np.var(wanted))
