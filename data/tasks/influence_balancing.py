"""Influence balancing: a linear system on which short truncation has the wrong sign.

Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time",
section 4.1. There is nothing to read: at every step the input is the same, and the first
unit of the state (rnn_graphs/cells/influence_balancing.py) is to be 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from data.config import TaskSection
from data.sequences import SequenceTask
from data.task import Sequence

TARGET = 1.0


class InfluenceBalancingConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["influence_balancing"]
    size: int = Field(ge=1, le=1_000_000_000)

    def make(self) -> InfluenceBalancing:
        """The task."""
        return InfluenceBalancing(self)


@dataclass(frozen=True)
class InfluenceBalancing(SequenceTask):
    """The task: `size` time steps an epoch."""

    labels: ClassVar[Literal["ids", "values", "pairs"]] = "values"
    num_inputs: ClassVar[int] = 1
    num_classes: ClassVar[int] = 1

    config: InfluenceBalancingConfig

    @property
    def size(self) -> int:
        return self.config.size

    def draw(self, _stream: np.random.RandomState) -> Sequence:
        """The same input and target at every step."""
        size = self.config.size
        return Sequence(np.zeros(size, np.int8), np.full(size, TARGET, np.float32))

    def evaluation(self, _split: str, stream: np.random.RandomState) -> Sequence:
        """As in training: nothing is random."""
        return self.draw(stream)

    def floors(self) -> dict[str, float]:
        """Exact: at θ = −1/6 the first unit settles at 1."""
        return {"settled at the optimum": 0.0}
