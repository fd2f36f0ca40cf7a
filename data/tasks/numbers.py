"""Numbers in digits, read to the end, then written in English words. Read all, then write.

input    4   0   7   <go>   four     hundred  seven
t                    four   hundred  seven    <end>    the label of each step with a loss
weight   0   0   0   1      1        1        1

In training the words before are given as inputs (teacher forcing). The model writes by itself in
`run.py generate RUN_DIR --prompt 407`: each word that it writes is its next input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from data.config import TaskSection
from data.examples import ExampleTask, take
from data.task import Answers, Array, DataError, Drawn, Examples, TextCodec

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
DIGITS = tuple("0123456789")
GO, END = "<go>", "<end>"
WORDS = (END, *ONES, *TENS, "hundred", "thousand")
VOCABULARY = (*DIGITS, GO, *WORDS)
IDS = {symbol: index for index, symbol in enumerate(VOCABULARY)}
SPLIT_SEED = 20160711  # of the order that the held-out numbers are drawn in
HELD_OUT_SHARE = 0.1


class NumbersConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["numbers"]
    digits: int = Field(ge=1, le=5)
    length: int = Field(ge=3)

    def make(self) -> Numbers:
        """The numbers below 10^digits in a fixed random order; the last fifth is held out."""
        numbers = np.random.RandomState(SPLIT_SEED).permutation(10**self.digits)
        examples = _examples(numbers, self.length)
        held_out = max(1, round(HELD_OUT_SHARE * len(numbers)))
        first = len(numbers) - 2 * held_out
        sets = {
            "valid": take(examples, slice(first, first + held_out)),
            "test": take(examples, slice(first + held_out, None)),
        }
        return Numbers(take(examples, slice(first)), sets, ())

    def without_data(self, _vocabulary: tuple[str, ...]) -> Numbers:
        """The task: its data are computed."""
        return self.make()


@dataclass(frozen=True)
class Numbers(ExampleTask):
    """Numbers, each an example."""

    num_inputs: ClassVar[int] = len(VOCABULARY)
    num_classes: ClassVar[int] = len(VOCABULARY)

    @property
    def codec(self) -> TextCodec:
        return NumberCodec(VOCABULARY)

    @property
    def probe(self) -> ExactMatch:
        return ExactMatch()

    @property
    def decoder_ids(self) -> int:
        """Input ids from this one on are those of the decoder: GO, then words."""
        return IDS[GO]


class NumberCodec(NamedTuple):
    """Digits in, words out."""

    vocabulary: tuple[str, ...]

    def encode(self, text: str) -> Array:
        """The digits and GO. Raises ValueError for anything but digits."""
        for symbol in text:
            if symbol not in DIGITS:
                raise ValueError(f"expected digits, such as 407; found {symbol!r}")
        return np.array([IDS[symbol] for symbol in (*text, GO)] if text else [], np.int8)

    def replaced(self, _text: str) -> list[str]:
        """None: there is no symbol for unknown ones."""
        return []

    def spelled(self, _text: str) -> None:
        """None: digits are read only."""

    def first(self) -> Array:
        """GO: words for no digit at all."""
        return np.array([IDS[GO]], np.int8)

    @property
    def stop(self) -> int:
        """The id that ends what is written."""
        return IDS[END]

    def decode(self, ids: Iterable[int]) -> str:
        """Digits without spaces, then words."""
        symbols = [self.vocabulary[index] for index in ids]
        digits = "".join(symbol for symbol in symbols if symbol in DIGITS)
        words = [symbol for symbol in symbols if symbol in WORDS and symbol != END]
        return " ".join([digits, *words] if digits else words)


class ExactMatch:
    """The share of test numbers that greedy decoding writes without an error.

    Greedy decoding writes the whole name if and only if the likeliest symbol is right at every step
    after the right beginning, so teacher forcing tells it exactly.
    """

    split = "test"

    def ask(self, drawn: Drawn, probabilities: NDArray[np.float64]) -> Answers:
        """The share of examples whose symbols are all the likeliest."""
        assert isinstance(drawn, Examples)
        right = (probabilities.argmax(-1) == drawn.labels) | (drawn.weights == 0)
        return {"exact_match": float(right.all(axis=1).mean())}

    def describe(self, answers: list[Answers]) -> list[str]:
        """One line: the mean over models and the least of them."""
        shares = [answer["exact_match"] for answer in answers if "exact_match" in answer]
        if not shares:
            return []
        mean, least = np.mean(shares), min(shares)
        return [f"exact match on test numbers: {mean:.1%} (the least of the seeds: {least:.1%})"]


def in_words(number: int) -> list[str]:
    """407 → four, hundred, seven."""
    if number < len(ONES):
        return [ONES[number]]
    if number < 100:
        tens, ones = divmod(number, 10)
        return [TENS[tens - 2], *(in_words(ones) if ones else [])]
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    many, rest = divmod(number, size)
    return [*in_words(many), name, *(in_words(rest) if rest else [])]


def _examples(numbers: NDArray[Any], length: int) -> Examples:
    """Inputs and labels [count, length], padded at the end."""
    inputs = np.zeros([len(numbers), length], np.int8)
    labels, weights = np.zeros_like(inputs), np.zeros([len(numbers), length], np.float32)
    lengths = np.zeros(len(numbers), np.int32)
    for row, number in enumerate(numbers):
        digits, words = str(number), in_words(int(number))
        read = [IDS[symbol] for symbol in (*digits, GO, *words)]
        start, end = len(digits), len(read)
        if end > length:
            raise DataError(
                f"task.length: expected at least {end}, for {number} in words; got {length}"
            )
        inputs[row, :end] = read
        labels[row, start:end] = [IDS[symbol] for symbol in (*words, END)]
        weights[row, start:end] = 1
        lengths[row] = end
    return Examples(inputs, labels, weights, lengths)
