"""The traits of a style of truncation. styles.py lists the styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rnn_graphs.cells.layouts import RecurrentLayout
    from rnn_graphs.truncation.influence import Influence
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.unrolls import UnrollFunction

Steps = NDArray[np.int64]
Matrix = NDArray[Any]
Truncation = Any  # a TruncationConfig, whose file imports this one
Model = Any  # a ModelConfig, likewise


# What several entries say.


def all_steps(t: Steps, s: Steps, _truncation: Truncation, _num_steps: int) -> Matrix:
    """Every error reaches every step before it."""
    return s <= t


def cuts_nothing(_truncation: Truncation) -> bool:
    """No error within a window is cut off."""
    return False


# Defaults of an entry's traits.


def _fits_every_window(_truncation: Truncation, _num_steps: int) -> None:
    pass


def _cuts_always(_truncation: Truncation) -> bool:
    return True


def _depth_within_the_graph(truncation: Truncation, num_steps: int) -> int:
    depth: int = min(truncation.depth or num_steps, num_steps + truncation.context_steps)
    return depth


def _nothing_carried(_truncation: Truncation, _layout: RecurrentLayout) -> int:
    return 0


def _takes_every_model(_truncation: Truncation, _model: Model) -> None:
    pass


def _not_compared(_num_steps: int) -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True)
class Style:
    """The traits of one style."""

    # (t, s, config, num_steps) → M[t, s] for s ≤ t, or its mean if it is random. t [losses, 1] and
    # s [1, steps] count from the window's first loss; s is negative in the context.
    credit: Callable[[Steps, Steps, Truncation, int], Matrix]
    # One training step, which computes ĝ.
    step: Callable[[StepModel, UnrollFunction, Truncation, Window], Step]
    needs: tuple[str, ...] = ()  # keys of Truncation that must be given
    takes: tuple[str, ...] = ()  # keys that may be given
    # (config, num_steps) raises ValueError, naming the key, if the window does not fit.
    check: Callable[[Truncation, int], None] = _fits_every_window
    # Whether any error within a window is cut off.
    cuts: Callable[[Truncation], bool] = _cuts_always
    # (config, num_steps) → the most cell applications that an error reaches.
    effective_depth: Callable[[Truncation, int], int] = _depth_within_the_graph
    # (config, t − s) → the standard deviation of M[t, s] for one sequence. None: not random.
    deviation: Callable[[Truncation, Steps], Matrix] | None = None
    # (config, num_steps) → the depths that it chooses from, anew each epoch. None: it does not.
    depths: Callable[[Truncation, int], list[int]] | None = None
    # Whether the gradient is no multiple of the exact product of Jacobians: its bias depends on the
    # model, and M is that of the probe in credit.py.
    approximate: bool = False
    # Whether M is random for s before the window, with a deviation that depends on the task.
    random_beyond_window: bool = False
    # (config, model, num_steps) → how the style holds the influence that it carries from window to
    # window. None: it carries none.
    influence: Callable[[Truncation, StepModel, int], Influence] | None = None
    # (config, layout) → the numbers that it carries for each row.
    carried: Callable[[Truncation, RecurrentLayout], int] = _nothing_carried
    # (config, model) raises ValueError, naming the key, if the style cannot train the model.
    check_model: Callable[[Truncation, Model], None] = _takes_every_model
    # Whether an update is faster under XLA.
    xla_pays: bool = True
    # The steps of the cell, forward and back, that an update runs and XLA compiles, as a multiple
    # of those of `full`; measured, for the choice of execution.xla.
    copies: float = 1.0
    # num_steps → the keys of each setting that `run.py gradients` compares with full.
    compared: Callable[[int], list[dict[str, Any]]] = _not_compared
    # The keys of each setting that it compares with rtrl, whose credit reaches all windows.
    compared_beyond: tuple[dict[str, Any], ...] = ()
    # The relation between those keys, for a plot's legend.
    compared_as: str = ""
    # (config, num_steps) → its place on the depth axis of a plot, and its meaning if not a depth.
    axis_depth: Callable[[Truncation, int], float] = _depth_within_the_graph
    axis_meaning: str = ""

    @property
    def random(self) -> bool:
        """Whether M is random and differs between the sequences of a batch."""
        return self.deviation is not None or self.random_beyond_window
