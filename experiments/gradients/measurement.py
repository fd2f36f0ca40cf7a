"""At each moment, compare every style's gradient with the full one, or rtrl's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Windows, cut_into_rows
from data.streams import evaluation_stream
from data.task import Task
from experiments.config.schema import Config
from experiments.console import is_quiet
from experiments.errors import UsageError
from experiments.gradients.carried import Beyond, in_a_list, open_carried_gauge
from experiments.gradients.error import GradientError, compare
from experiments.gradients.moments import Moments
from experiments.gradients.rows import mean_of_present
from experiments.training.session import session_options, shape_of
from experiments.training.window_session import WindowSession
from rnn_graphs.config import TruncationConfig
from rnn_graphs.graphs.gradients import build_gradient_graph
from rnn_graphs.truncation.styles import STYLES

WINDOWS = 5  # measured one after the other at each moment
DRAWS = 50  # of a random style's gates, for each window


class GradientEstimate(NamedTuple):
    """A way to estimate the gradient."""

    truncation: TruncationConfig
    draws: int = 1  # of random gates, which are averaged


class Reading(NamedTuple):
    """The measurements of one window."""

    error_signal: NDArray[np.float64]  # [lags]
    comparisons: list[GradientError]  # by estimate


class Measured(NamedTuple):
    """All measurements, by seed, moment and window."""

    updates: list[int]  # the moments
    estimates: list[GradientEstimate]
    error_signal: NDArray[np.float64]  # [seeds, moments, windows, lags]; nan: no row is that long
    relative_error: NDArray[np.float64]  # [seeds, moments, windows, estimates]
    cosine: NDArray[np.float64]  # the same
    beyond: Sequence[Beyond] = ()  # against rtrl; (): not compared


def mean_error_signal(measured: Measured) -> NDArray[np.float64]:
    """The mean over seeds and windows, [moments, lags]; nan at lags that no row has."""
    return mean_of_present(measured.error_signal, (0, 2))


def styles(num_steps: int) -> list[TruncationConfig]:
    """The truncations to compare with full, which the entry of each style lists."""
    return [
        TruncationConfig(kind=kind, **keys)
        for kind, style in STYLES.items()
        for keys in style.compared(num_steps)
    ]


def check_direction(config: Config) -> None:
    """Raise UsageError if errors come from both sides."""
    if config.model.bidirectional:
        raise UsageError(
            "model.bidirectional: its errors come from both sides, and have no lag; expected false"
        )


def check_losses(config: Config, task: Task) -> None:
    """Raise UsageError if a loss has no time step that lags are counted from."""
    if task.labels == "pairs":
        raise UsageError(
            f"experiment {config.name}: task: the loss of {config.task.kind} depends on all "
            "outputs of a text, so that it has no time step to count a lag from; expected a task "
            "with a loss at a time step"
        )


def measure(config: Config, task: Task, moments: Moments) -> Measured:
    """Measure every seed of the config at each moment."""
    readings = []
    beyond: list[Beyond] = []
    updates = moments.updates
    with (
        Gauge(config, task, styles(config.graph.num_steps)) as gauge,
        open_carried_gauge(config, task) as carried,
    ):
        for seed, weights in zip(config.seeds, moments.weights, strict=True):
            windows = held_out_windows(config, task, seed)
            for moment, variables in zip(updates, weights, strict=True):
                readings.append(gauge.measure(variables, windows, seed))
                if carried is not None:
                    found = carried.measure(variables, windows, seed)
                    beyond += in_a_list(seed, moment, found)
                if not is_quiet():
                    print(f"seed {seed}: measured at update {moment} of {updates[-1]}", flush=True)
    return arrange(readings, updates, gauge.estimates)._replace(beyond=beyond)


def arrange(
    readings: Sequence[Sequence[Reading]], updates: list[int], estimates: list[GradientEstimate]
) -> Measured:
    """Arrange readings, listed by seed, then moment, then window, as arrays."""
    windows = len(readings[0])
    shape = (len(readings) // len(updates), len(updates), windows)
    signals = [one.error_signal for window in readings for one in window]
    comparisons = np.array([one.comparisons for window in readings for one in window])
    return Measured(
        updates,
        estimates,
        np.reshape(signals, (*shape, -1)),
        comparisons[..., 0].reshape(*shape, -1),
        comparisons[..., 1].reshape(*shape, -1),
    )


def held_out_windows(config: Config, task: Task, seed: int) -> list[Windows]:
    """Consecutive windows of held-out data, the same at every moment of a seed.

    Raises UsageError if no held-out set fills a batch.
    """
    batch_size, num_steps = config.graph.batch_size, config.graph.num_steps
    for split in task.held_out:
        rows = cut_into_rows(task.evaluation(split, evaluation_stream(seed)), batch_size)
        count = min(WINDOWS, rows.inputs.shape[1] // num_steps)
        if count:
            return [rows.windows(number, 1, num_steps) for number in range(count)]
    raise UsageError(
        f"graph.batch_size: expected at most what fills a window of {num_steps} steps of held-out "
        f"data ({', '.join(task.held_out) or 'the task has none'}); got {batch_size}"
    )


class Gauge(WindowSession):
    """A session on a gradient graph, used for the weights of every seed and moment."""

    def __init__(self, config: Config, task: Task, truncations: Sequence[TruncationConfig]) -> None:
        shape = shape_of(task, config.training.carry_state)
        graph = build_gradient_graph(config.model, config.graph, shape, truncations)
        options = session_options(config.execution.threads)
        # Rewriting a graph of many styles takes longer than it saves.
        options.graph_options.rewrite_options.disable_meta_optimizer = True
        super().__init__(graph, options)
        self._graph = graph
        fetches = dict(zip(truncations, self._graph.estimates, strict=True))
        self._random = {one: fetches[one] for one in fetches if one.style.random}
        self._exact = {one: fetches[one] for one in fetches if not one.style.random}
        self.estimates = [
            *[GradientEstimate(truncation) for truncation in (*self._exact, *self._random)],
            *[GradientEstimate(truncation, DRAWS) for truncation in self._random],
        ]

    def measure(
        self, variables: dict[str, NDArray[Any]], windows: Sequence[Windows], seed: int
    ) -> list[Reading]:
        """Measure each window, carrying the state between them if the task does."""
        self.restore(variables)
        fetches = (self._graph.error_signal, self._graph.full, [*self._exact.values()])
        readings = []
        found = self.in_turn(fetches, map(self.feeds, windows))
        for number, (feeds, (signal, full, exact)) in enumerate(found):
            first = number * DRAWS
            # Negative, because the keys of training start with a seed, which is at least 0.
            keys = [(-1 - seed, draw) for draw in range(first, first + DRAWS)]
            comparisons = [compare(estimate, full) for estimate in exact]
            comparisons += self._compare_random(feeds, keys, full)
            readings.append(Reading(signal, comparisons))
        return readings

    def _compare_random(
        self,
        feeds: dict[Any, Any],
        keys: Sequence[tuple[int, int]],
        full: NDArray[np.float64],
    ) -> list[GradientError]:
        """Compare each random style: the mean over single draws, then the mean of the draws."""
        count = len(self._random)
        total = np.zeros([count, len(full)])
        single = np.zeros([count, len(GradientError._fields)])
        for key in keys:
            drawn = self._session.run(
                [*self._random.values()], feeds | {self._graph.window.key: key}
            )
            single += np.reshape([compare(one, full) for one in drawn], single.shape)
            total += np.reshape(drawn, total.shape)
        means = [GradientError(*values) for values in single / len(keys)]
        return means + [compare(one, full) for one in total / len(keys)]
