"""The depth that `truncation.kind: adaptive` takes for an epoch.

From errors that go back far, φ_k = E‖∂L_t/∂h_{t−k}‖ by lag k, and the rate β at which it decays, by
regression of log φ_k on k. What depth K leaves out is bounded by the tail Σ_{k ≥ K} φ_k, geometric
beyond the lags that were run; its relative bias is that over the least length that the whole
gradient can have. Source: Aicher, Foti & Fox 2019, sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows
from data.task import Task
from experiments.config.schema import Config
from experiments.training.session import session_options, shape_of
from experiments.training.window_session import WindowSession
from experiments.training.workload import Workload
from rnn_graphs.graphs.signal import build_signal_graph

WINDOWS = 5  # that the decay is averaged over, each as long as errors go back
LAGS = 2  # times the largest depth: how far errors go back


def relative_biases(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """A bound on the relative bias of each depth K = 1, 2, …, for signal φ_0, φ_1, …

    It is infinite where the signal does not decay, or where the tail may be longer than the rest.
    """
    kept = signal > 0
    if kept.sum() < 2:  # nothing goes back: any depth is enough
        return np.zeros(len(signal))
    slope = np.polynomial.polynomial.polyfit(np.flatnonzero(kept), np.log(signal[kept]), 1)[1]
    if slope >= 0:
        return np.full(len(signal), np.inf)
    beta = np.exp(slope)
    beyond = signal[-1] * beta / (1 - beta)
    tails = np.append(np.cumsum(signal[:0:-1])[::-1], 0) + beyond  # Σ_{k ≥ K} for K = 1, 2, …
    least = float(np.max(np.cumsum(signal) - tails))
    return tails / least if least > 0 else np.full(len(signal), np.inf)


def least_depth(signal: NDArray[np.float64], tolerance: float, depths: Sequence[int]) -> int:
    """The index of the least depth with a relative bias below `tolerance`, else of the largest."""
    biases = relative_biases(signal)
    for index, depth in enumerate(depths):
        if biases[depth - 1] < tolerance:
            return index
    return len(depths) - 1


def open_chooser(
    config: Config, workload: Workload, log: Callable[[str], None] = lambda _: None
) -> AbstractContextManager[DepthChooser | None]:
    """What chooses the depth of each epoch; None where the style does not.

    log: takes a line for each epoch.
    """
    if not config.truncation.chooses:
        return nullcontext()
    return DepthChooser(config, workload.task, log)


class DepthChooser(WindowSession):
    """A session that measures the decay of the error signal at the start of each epoch."""

    def __init__(self, config: Config, task: Task, log: Callable[[str], None]) -> None:
        """log: takes a line that says the depth of each epoch."""
        self._log = log
        self._truncation = config.truncation
        self.depths = config.truncation.depths(config.graph.num_steps)
        self._steps = LAGS * self.depths[-1]
        graph_config = config.graph.model_copy(update={"num_steps": self._steps})
        graph = build_signal_graph(config.model, graph_config, shape_of(task))
        super().__init__(graph, session_options(config.execution.threads))
        self._error_signal = graph.error_signal

    def choose(self, epoch: int, variables: dict[str, NDArray[Any]], rows: Rows) -> int:
        """The index of the depth for an epoch, counted from 0, at these weights.

        The first epoch takes the largest: weights that have learned nothing send no error back.
        """
        count = min(WINDOWS, rows.inputs.shape[1] // self._steps)
        tolerance, index = self._truncation.tolerance, len(self.depths) - 1
        assert tolerance is not None
        if epoch > 0 and count > 0:
            index = least_depth(self._signal(variables, rows, count), tolerance, self.depths)
        self._log(f"epoch {epoch + 1}: errors flow back K = {self.depths[index]} steps or more")
        return index

    def _signal(
        self, variables: dict[str, NDArray[Any]], rows: Rows, count: int
    ) -> NDArray[np.float64]:
        """φ by lag, the mean over `count` windows from the start of the rows."""
        self.restore(variables)
        windows = [rows.windows(number, 1, self._steps) for number in range(count)]
        found = self.in_turn(self._error_signal, map(self.feeds, windows))
        return np.asarray(np.mean([signal for _, signal in found], axis=0))
