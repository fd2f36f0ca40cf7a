"""The common part of tasks of examples: their sets, and a new order each epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from data.batching import example_windows
from data.task import Array, Examples, Probe, Source, Spelled, TextCodec


@dataclass(frozen=True)
class ExampleTask:
    """A task whose examples are all in memory. Inputs are ids unless a subclass changes that."""

    inputs: ClassVar[Literal["ids", "features"]] = "ids"
    labels: ClassVar[Literal["ids", "values", "pairs"]] = "ids"
    carries_state: ClassVar[bool] = False

    train: Examples
    sets: dict[str, Examples]  # held out from training, by name
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = field(default=(), kw_only=True)  # remarks for the user

    @property
    def held_out_rows(self) -> int | None:
        return None  # each example starts from zeros

    @property
    def every_step_counts(self) -> bool:
        steps = np.arange(self.train.labels.shape[1]) < self.train.lengths[:, None]
        return bool((self.train.weights[steps] > 0).all())

    @property
    def example_lengths(self) -> NDArray[np.int32]:
        return self.train.lengths

    @property
    def decoder_ids(self) -> int | None:
        return None

    @property
    def probe(self) -> Probe | None:
        return None

    @property
    def codec(self) -> TextCodec | None:
        return None

    def spelled(self, _split: str) -> Spelled | None:
        return None

    @property
    def held_out(self) -> tuple[str, ...]:
        return tuple(self.sets)

    def windows(self, batch_size: int, num_steps: int, context: int) -> int:
        """Batches in an epoch; the examples of one that is not full are left out."""
        count, length = self.train.labels.shape
        return example_windows(count, length, batch_size, num_steps, context)

    def left_out(self, _batch_size: int, _num_steps: int, _context: int) -> float:
        return 0.0  # the order is new in each epoch

    def draw(self, stream: np.random.RandomState) -> Examples:
        """Every training example once, in a new order."""
        return take(self.train, stream.permutation(len(self.train.labels)))

    def evaluation(self, split: str, _stream: np.random.RandomState) -> Examples:
        """The set, always in the same order."""
        return self.sets[split]

    def floors(self) -> dict[str, float]:
        """Empty, because no floor is known."""
        return {}


def take(examples: Examples, index: NDArray[np.intp] | slice) -> Examples:
    """Some of the examples, in the order of the index."""
    return Examples(
        examples.inputs[index],
        examples.labels[index],
        examples.weights[index],
        examples.lengths[index],
    )


def at_position(examples: Examples, position: int) -> Examples:
    """The same examples, with the losses of time step `position` alone, counted from 1."""
    chosen = np.arange(1, examples.weights.shape[1] + 1) == position
    return examples._replace(weights=examples.weights * chosen.astype(np.float32))


def hold_out(
    examples: Examples, test: Examples, share: float
) -> tuple[Examples, dict[str, Examples]]:
    """Training examples, and the held-out sets: "valid", a share from their end, and "test".

    Without a share there is no "valid"; with one, it has an example at least.
    """
    count = len(examples.labels)
    first = count - (max(1, round(share * count)) if share else 0)
    valid = {"valid": take(examples, slice(first, count))} if share else {}
    return take(examples, slice(first)), {**valid, "test": test}


def many_to_one(inputs: Array, classes: NDArray[Any], lengths: NDArray[np.int32]) -> Examples:
    """Examples of which the last step before the padding is classified, and no other.

    inputs [count, time, …], classes [count], lengths [count].
    """
    last = (np.arange(len(lengths)), lengths - 1)
    labels = np.zeros(inputs.shape[:2], np.int32)
    labels[last] = classes
    weights = np.zeros(inputs.shape[:2], np.float32)
    weights[last] = 1
    return Examples(inputs, labels, weights, lengths)
