"""What every task gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Sequence(NamedTuple):
    """One epoch of one long sequence, before it is cut into rows."""

    inputs: NDArray[np.int8]  # [size] ids
    labels: NDArray[np.int8]  # [size] ids


class Task(Protocol):
    """A source of sequences. A new task is one file with these, and one YAML."""

    @property
    def num_inputs(self) -> int:
        """Input ids are below this."""

    @property
    def num_classes(self) -> int:
        """Label ids are below this."""

    def draw(self, stream: np.random.RandomState) -> Sequence:
        """One epoch of training data."""

    def fresh(self, stream: np.random.RandomState) -> Sequence:
        """Data for evaluation: of the same kind, large enough for a mean."""

    def floors(self) -> dict[str, float]:
        """Exact least losses, nats per time step, by what a model knows; may be empty."""
