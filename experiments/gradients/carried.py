"""Styles that carry an influence, compared with rtrl, whose gradient is exact.

The weights stand still, so rtrl's gradient is that of full backpropagation from the window to the
start of the sequence. The gradients are those of the variables that the state depends on: the
output layer's are the same in every style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Windows, cut_into_rows
from data.streams import evaluation_stream
from data.task import Task
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.credit import describe
from experiments.gradients.error import GradientError, compare
from experiments.training import influence_memory
from experiments.training.session import session_options, shape_of
from experiments.training.window_session import WindowSession
from rnn_graphs.config import TruncationConfig
from rnn_graphs.graphs.carried import build_carried_graph
from rnn_graphs.truncation.styles import STYLES

EXACT = TruncationConfig(kind="rtrl")


class CarriedGauge(WindowSession):
    """A session that carries the influences of several styles through windows side by side."""

    def __init__(
        self, config: Config, task: Task, truncations: Mapping[str, TruncationConfig]
    ) -> None:
        """truncations: by name. Raises UsageError where rtrl cannot measure the config."""
        if problem := obstacle(config, task):
            raise UsageError(f"experiment {config.name}: {problem}")
        for truncation in truncations.values():
            truncation.check_model(config.model)
        graph = build_carried_graph(
            config.model, config.graph, shape_of(task), [EXACT, *truncations.values()]
        )
        super().__init__(graph, session_options(config.execution.threads))
        self._graph = graph
        self._names = [*truncations]

    def measure(
        self, variables: dict[str, NDArray[Any]], windows: Sequence[Windows], seed: int
    ) -> list[dict[str, GradientError]]:
        """By window, each style against rtrl. Random styles are drawn once, from the seed."""
        self.restore(variables)
        # Negative, because the keys of training start with a seed, which is at least 0.
        feeds = [
            self.feeds(window) | {self._graph.window.key: np.array([-1 - seed, number])}
            for number, window in enumerate(windows)
        ]
        found = []
        for _, (exact, *estimates) in self.in_turn(self._graph.estimates, feeds):
            errors = [compare(estimate, exact) for estimate in estimates]
            found.append(dict(zip(self._names, errors, strict=True)))
        return found


def obstacle(config: Config, task: Task) -> str | None:
    """Why rtrl cannot measure the config's gradient, in one line; None: it can."""
    try:
        EXACT.check_model(config.model)
    except ValueError as error:
        return str(error)
    return influence_memory.problem(config.model_copy(update={"truncation": EXACT}), task)


def fresh_windows(config: Config, task: Task, seed: int, count: int) -> list[Windows]:
    """Consecutive windows of held-out data, `count` or as many as there are."""
    batch_size, num_steps = config.graph.batch_size, config.graph.num_steps
    rows = cut_into_rows(task.evaluation(task.held_out[0], evaluation_stream(seed)), batch_size)
    there = min(count, rows.inputs.shape[1] // num_steps)
    return [rows.windows(number, 1, num_steps) for number in range(there)]


def compared_with_rtrl(config: Config) -> dict[str, TruncationConfig]:
    """The settings that `run.py gradients` compares with rtrl, by name, as far as the model allows.

    `full` is the window's own gradient.
    """
    found = {"full": TruncationConfig(kind="full")}
    for kind, style in STYLES.items():
        for keys in style.compared_beyond:
            truncation = TruncationConfig(kind=kind, **keys)
            try:
                truncation.check_model(config.model)
            except ValueError:
                continue
            found[describe(truncation)] = truncation
    return found


class Beyond(NamedTuple):
    """A style against rtrl, in one window at one moment."""

    seed: int
    updates: int
    window: int
    style: str
    error: GradientError


def in_a_list(
    seed: int, updates: int, found: Sequence[Mapping[str, GradientError]]
) -> list[Beyond]:
    """What a gauge has found by window and style, at one moment of a seed."""
    return [
        Beyond(seed, updates, window, style, error)
        for window, errors in enumerate(found)
        for style, error in errors.items()
    ]


def open_carried_gauge(
    config: Config, task: Task
) -> AbstractContextManager[CarriedGauge | None]:  # fmt: skip
    """What compares the styles with rtrl; None where it cannot.

    That is where every window starts anew, or rtrl cannot measure the config.
    """
    starts_anew = shape_of(task, config.training.carry_state).starts_anew
    if starts_anew or obstacle(config, task):
        return nullcontext()
    return CarriedGauge(config, task, compared_with_rtrl(config))
