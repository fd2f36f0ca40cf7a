"""Copy memory: repeat the symbols of each episode after a wait.

Source: Hochreiter & Schmidhuber 1997; in the form of Arjovsky, Shah & Bengio 2016. An episode
of m = `symbols` and T = `blanks` takes T + 2m time steps, here for m = 3 and T = 2:

input    a b c _ | _ _ _      _ a blank, | the delimiter, which ends the blanks where T ≥ 1
label    _ _ _ _ _ a b c      each symbol m + T steps after it was shown

Without blanks there is no delimiter, and none is needed: the first blank input starts the
recall. With `marker` the first symbol of an episode is always the same, and is repeated too, as in
the code of Aicher, Foti & Fox (https://github.com/aicherc/adaptive_tbptt); with `least_symbols`
the length of each episode is drawn, m from least_symbols to symbols:

input    # b c _ _ _ # d _ _         # the marker
label    _ _ _ # b c _ _ # d

Episodes follow each other as one long sequence, whose state is carried from window to
window, as in Aicher, Foti & Fox 2019: what a model may learn depends on how far errors reach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from data.config import TaskSection
from data.sequences import SequenceTask
from data.task import Sequence

FRESH_SIZE = 400_000  # time steps for evaluation; more than the longest episode


class CopyMemoryConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["copy_memory"]
    size: int = Field(ge=1, le=1_000_000_000)
    symbols: int = Field(ge=1, le=10_000)
    alphabet: int = Field(ge=2, le=126)  # with blank and delimiter, an id fits in a byte
    blanks: int = Field(ge=0, le=100_000)
    marker: bool = False
    least_symbols: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _an_episode_fits(self) -> Self:
        if self.size < self.episode:
            raise ValueError(
                "size must be at least one episode, blanks + 2 * symbols = "
                f"{self.blanks} + 2 * {self.symbols} = {self.episode}; got {self.size}"
            )
        return self

    @model_validator(mode="after")
    def _keys_of_the_marker_fit(self) -> Self:
        if self.marker and self.blanks:
            raise ValueError(f"blanks: with marker the recall follows directly; got {self.blanks}")
        if self.least_symbols is None:
            return self
        if not self.marker:
            raise ValueError(
                "least_symbols: only with marker, which shows where an episode begins; "
                f"got {self.least_symbols}"
            )
        if self.least_symbols > self.symbols:
            raise ValueError(
                f"least_symbols: expected at most symbols, {self.symbols}; got {self.least_symbols}"
            )
        return self

    @property
    def least(self) -> int:
        """The symbols of the shortest episode."""
        return self.symbols if self.least_symbols is None else self.least_symbols

    @property
    def episode(self) -> int:
        """Time steps of an episode, of the longest if they differ."""
        return self.blanks + 2 * self.symbols

    @property
    def lag(self) -> int:
        """Time steps between a symbol and the label that repeats it."""
        return self.symbols + self.blanks

    def make(self) -> CopyMemory:
        """The task."""
        return CopyMemory(self)


@dataclass(frozen=True)
class CopyMemory(SequenceTask):
    """The task: symbols are the ids below `alphabet`, then come the blank and the delimiter."""

    config: CopyMemoryConfig

    @property
    def blank(self) -> int:
        """The id of a blank, as an input and as a label."""
        return self.config.alphabet

    @property
    def delimiter(self) -> int:
        """The id of the input that comes right before the recall, where there are blanks."""
        return self.config.alphabet + 1

    @property
    def marker(self) -> int:
        """The id of the first symbol of each episode, as an input and as a label."""
        return self.config.alphabet + 1

    @property
    def num_inputs(self) -> int:
        return self.config.alphabet + (2 if self.config.blanks or self.config.marker else 1)

    @property
    def num_classes(self) -> int:
        return self.config.alphabet + (2 if self.config.marker else 1)

    @property
    def size(self) -> int:
        return self.config.size

    def draw(self, stream: np.random.RandomState) -> Sequence:
        """New episodes, the last one cut short where it does not fit.

        A row of a batch begins where the cut falls. It begins with an episode, and can be
        copied without an error, where `size` is a multiple of batch_size * episode.
        """
        return self._draw(stream, self.config.size)

    def evaluation(self, _split: str, stream: np.random.RandomState) -> Sequence:
        """New episodes: FRESH_SIZE time steps, or the epoch's size where that is less."""
        return self._draw(stream, min(self.config.size, FRESH_SIZE))

    def _draw(self, stream: np.random.RandomState, size: int) -> Sequence:
        config = self.config
        if config.marker:
            return self._draw_with_marker(stream, size)
        episodes = math.ceil(size / config.episode)
        symbols = stream.randint(0, config.alphabet, (episodes, config.symbols), dtype=np.int8)
        inputs = np.full((episodes, config.episode), self.blank, np.int8)
        inputs[:, : config.symbols] = symbols
        if config.blanks:
            inputs[:, config.lag - 1] = self.delimiter
        labels = np.full((episodes, config.episode), self.blank, np.int8)
        labels[:, config.lag :] = symbols
        return Sequence(inputs.reshape(-1)[:size], labels.reshape(-1)[:size])

    def _draw_with_marker(self, stream: np.random.RandomState, size: int) -> Sequence:
        config = self.config
        episodes = math.ceil(size / (2 * config.least))
        lengths = stream.randint(config.least, config.symbols + 1, episodes)
        symbols = stream.randint(0, config.alphabet, (episodes, config.symbols), dtype=np.int8)
        symbols[:, 0] = self.marker
        starts = np.concatenate([[0], np.cumsum(2 * lengths)])
        step = np.arange(size)
        episode = np.searchsorted(starts, step, side="right") - 1
        place, length = step - starts[episode], lengths[episode]
        shown, asked = place < length, place >= length
        inputs = np.full(size, self.blank, np.int8)
        labels = inputs.copy()
        inputs[shown] = symbols[episode[shown], place[shown]]
        labels[asked] = symbols[episode[asked], (place - length)[asked]]
        return Sequence(inputs, labels)

    def floors(self) -> dict[str, float]:
        """Exact. A model without memory knows when to recall, and guesses: m ln(alphabet).

        Blanks cost it nothing, so its mean is over T + 2m steps of which m cost ln(alphabet). The
        marker costs nothing either: of 2m steps, m − 1 do.
        """
        config = self.config
        random, steps = config.symbols, config.episode
        if config.marker:  # sums of the shortest and the longest: all lengths are equally likely
            random, steps = config.least + config.symbols - 2, 2 * (config.least + config.symbols)
        return {"without memory": random * math.log(config.alphabet) / steps, "copied": 0.0}
