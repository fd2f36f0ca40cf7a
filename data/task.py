"""The interface of a task: data as one long sequence or as many examples, and capabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
VALIDATION = "valid"  # the held-out set that training validates on, where a task has one


class Source(NamedTuple):
    """Data that a task has read, by the hash of their content."""

    name: str  # the file's path, or the name of a set that a package ships
    sha256: str


class Sequence(NamedTuple):
    """One long sequence, to be cut into rows; the state is carried along each row."""

    inputs: Array  # [size] ids
    labels: Array  # [size] ids, or values where the task's labels are values


class Examples(NamedTuple):
    """Sequences of their own, padded to one length; each starts from the cell's first state."""

    inputs: Array  # [count, time] ids, or [count, time, num_inputs] features
    labels: Array  # [count, time] ids
    weights: NDArray[np.float32]  # [count, time]: 1 where the loss counts, 0 elsewhere
    lengths: NDArray[np.int32]  # [count], time steps before the padding at the end


class Spelled(NamedTuple):
    """The text that the labels of a set spell."""

    labels: int
    characters: int  # with those of words that the labels <unk> stand for
    unknown: int  # labels that are <unk>, which tell no word from another

    def bits_per_character(self, loss: float) -> float:
        """−log₂ P(text) for each character, from the mean loss of a label (nats).

        Models of any symbols can be compared by it, if they read the same text and none of
        their labels is <unk>. With <unk> it is a lower bound: the spelling of those words is free.
        """
        return loss * self.labels / self.characters / math.log(2)


Drawn = Sequence | Examples
Answers = dict[str, Any]  # of a probe, by question


class Probe(Protocol):
    """Asks a trained model which of its inputs it uses."""

    @property
    def split(self) -> str:
        """The held-out set that the model is asked about."""

    def ask(self, drawn: Drawn, probabilities: NDArray[np.float64]) -> Answers:
        """The answers of one model, as JSON values.

        `probabilities`, [batch, time, num_classes], are the model's for `drawn` cut into rows.
        """

    def describe(self, answers: list[Answers]) -> list[str]:
        """Lines for the user about the answers of several models."""


class TextCodec(Protocol):
    """Turns text into ids and back."""

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The symbol of each id."""

    def encode(self, text: str) -> Array:
        """The ids of a text, [symbols]. Raises ValueError, naming the first symbol without one."""

    def replaced(self, text: str) -> list[str]:
        """The symbols of a text that `encode` replaces by the one for unknown symbols."""

    def spelled(self, text: str) -> Spelled | None:
        """The text that its ids spell; None where it is not what a model learns to predict."""

    def first(self) -> Array:
        """The ids, [1], that a text without a prompt is written after."""

    @property
    def stop(self) -> int | None:
        """The id that ends what is written; None: it has no end."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids."""


class Task(Protocol):
    """A source of data. A new task is one file with these, its config, and one YAML.

    Making a task reads its files, if it has any, and raises DataError where one is missing or
    wrong. Properties and `windows` cost nothing.
    """

    @property
    def probe(self) -> Probe | None:
        """How to ask a model what it has learned; None where the task cannot."""

    @property
    def codec(self) -> TextCodec | None:
        """How to read and write the task's text; None where its data are not text."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The data that were read, always in the same order; none for data that are drawn."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks about the data, one line each, for the user to read before training."""

    @property
    def held_out_rows(self) -> int | None:
        """The rows that a held-out Sequence is cut into, each from a state of zeros.

        None: the whole of it is read as one sequence.
        """

    @property
    def num_inputs(self) -> int:
        """Input ids are below this; the width of an input where inputs are features."""

    @property
    def num_classes(self) -> int:
        """Label ids are below this; 1 where labels are values."""

    @property
    def inputs(self) -> Literal["ids", "features"]:
        """Whether an input is an id or a vector of features."""

    @property
    def labels(self) -> Literal["ids", "values", "pairs"]:
        """Whether a label is the id of a class, or a value to approximate, or the class of a pair.

        The examples of a pair are rows 2i and 2i + 1 of a batch, and have the same label.
        """

    @property
    def carries_state(self) -> bool:
        """Whether it draws a Sequence, whose windows follow each other, or Examples."""

    @property
    def every_step_counts(self) -> bool:
        """Whether each time step before the padding has a loss."""

    @property
    def example_lengths(self) -> NDArray[np.int32] | None:
        """Time steps of each training example before its padding; None: one Sequence."""

    @property
    def decoder_ids(self) -> int | None:
        """Input ids from this one on are read by a decoder; None: it has no such inputs."""

    @property
    def held_out(self) -> tuple[str, ...]:
        """The sets that training never sees, such as ("valid", "test")."""

    def spelled(self, split: str) -> Spelled | None:
        """The text of the labels of a set, "train" or held out; None where it is not known.

        It is known for a text that is read as one sequence.
        """

    def windows(self, batch_size: int, num_steps: int, context: int) -> int:
        """Updates in an epoch. Raises ValueError, naming the key, where there is none."""

    def left_out(self, batch_size: int, num_steps: int, context: int) -> float:
        """The share of the training data that no epoch trains on."""

    def draw(self, stream: np.random.RandomState) -> Drawn:
        """One epoch of training data."""

    def evaluation(self, split: str, stream: np.random.RandomState) -> Drawn:
        """The data of one of the `held_out` sets."""

    def floors(self) -> dict[str, float]:
        """Exact least losses, nats per time step, by what a model knows; may be empty."""


class DataError(Exception):
    """A missing or wrong data file. The message is one line and names the file."""
