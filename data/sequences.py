"""The common part of tasks that draw one long sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from data.batching import sequence_windows
from data.task import Probe, Source, Spelled, TextCodec

FRESH = "fresh"  # the held-out set of a task that can draw new data


class SequenceTask(ABC):
    """A task that draws a Sequence of ids, and new data to be evaluated on."""

    inputs: ClassVar[Literal["ids", "features"]] = "ids"
    labels: ClassVar[Literal["ids", "values", "pairs"]] = "ids"
    carries_state: ClassVar[bool] = True

    @property
    @abstractmethod
    def size(self) -> int:
        """Labels in an epoch."""

    @property
    def sources(self) -> tuple[Source, ...]:
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    @property
    def held_out_rows(self) -> int | None:
        return None

    @property
    def every_step_counts(self) -> bool:
        return True

    @property
    def example_lengths(self) -> None:
        return None

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
        return (FRESH,)

    def windows(self, batch_size: int, num_steps: int, context: int) -> int:
        """Updates in an epoch."""
        return sequence_windows(self.size, batch_size, num_steps, context)

    def left_out(self, _batch_size: int, _num_steps: int, _context: int) -> float:
        return 0.0  # each epoch draws new data
