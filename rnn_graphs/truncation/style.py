"""The traits of a style of truncation. styles.py lists the styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rnn_graphs.cell_layouts import RecurrentLayout
    from rnn_graphs.config import ModelConfig
    from rnn_graphs.truncation.influence import Influence
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.truncation.styles import TruncationConfig
    from rnn_graphs.unrolls import UnrollFunction

Steps = NDArray[np.int64]
Matrix = NDArray[Any]


# Defaults of an entry's traits.


def _fits_every_window(_truncation: TruncationConfig, _num_steps: int) -> None:
    pass


def _cuts_always(_truncation: TruncationConfig) -> bool:
    return True


def _depth_within_the_graph(truncation: TruncationConfig, num_steps: int) -> int:
    return min(truncation.depth or num_steps, num_steps + truncation.context_steps)


def _nothing_carried(_truncation: TruncationConfig, _layout: RecurrentLayout) -> int:
    return 0


def _takes_every_model(_truncation: TruncationConfig, _model: ModelConfig) -> None:
    pass


def _not_compared(_num_steps: int) -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True)
class Style:
    """The traits of one style."""

    # (t, s, config, num_steps) → M[t, s] for s ≤ t, or its mean if it is random. t [losses, 1] and
    # s [1, steps] count from the window's first loss; s is negative in the context.
    credit: Callable[[Steps, Steps, TruncationConfig, int], Matrix]
    # One training step, which computes ĝ.
    step: Callable[[StepModel, UnrollFunction, TruncationConfig, Window], Step]
    needs: tuple[str, ...] = ()  # keys of TruncationConfig that must be given
    takes: tuple[str, ...] = ()  # keys that may be given
    # (config, num_steps) raises ValueError, naming the key, if the window does not fit.
    check: Callable[[TruncationConfig, int], None] = _fits_every_window
    # Whether any error within a window is cut off.
    cuts: Callable[[TruncationConfig], bool] = _cuts_always
    # (config, num_steps) → the most cell applications that an error reaches.
    effective_depth: Callable[[TruncationConfig, int], int] = _depth_within_the_graph
    # (config, t − s) → the standard deviation of M[t, s] for one sequence. None: not random.
    deviation: Callable[[TruncationConfig, Steps], Matrix] | None = None
    # Whether M is random for s before the window, with a deviation that depends on the task.
    random_beyond_window: bool = False
    # config → how the style holds the influence that it carries from window to window. None: it
    # carries none.
    influence: Callable[[TruncationConfig], Influence] | None = None
    # (config, layout) → the numbers that it carries for each row.
    carried: Callable[[TruncationConfig, RecurrentLayout], int] = _nothing_carried
    # (config, model) raises ValueError, naming the key, if the style cannot train the model.
    check_model: Callable[[TruncationConfig, ModelConfig], None] = _takes_every_model
    # Whether an update is faster under XLA.
    xla_pays: bool = True
    # The copies of the cell that XLA compiles, as a multiple of those of `full`.
    copies_compiled: float = 1.0
    # num_steps → the keys of each setting that `run.py gradients` compares with full.
    compared: Callable[[int], list[dict[str, Any]]] = _not_compared
    # The relation between those keys, for a plot's legend.
    compared_as: str = ""
    # (config, num_steps) → its place on the depth axis of a plot, and its meaning if not a depth.
    axis_depth: Callable[[TruncationConfig, int], float] = _depth_within_the_graph
    axis_meaning: str = ""

    @property
    def random(self) -> bool:
        """Whether M is random and differs between the sequences of a batch."""
        return self.deviation is not None or self.random_beyond_window
