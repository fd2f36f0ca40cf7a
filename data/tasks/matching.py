"""Pairs of texts that belong together or do not: a heading and a paragraph. Two to one.

The texts are headings of Python's own documentation and the paragraphs below them; see
data/python_docs.py. Each paragraph is in two pairs, with its own heading (class 1) and with that of
another paragraph (class 0). Neither text alone tells the class.

A pair is two examples, side by side in a batch:

    row 2i       <start> the if statement                    label at the last word
    row 2i + 1   <start> if all expressions are false …      the same label at the last word
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from data.config import TaskSection
from data.documents import INDEX_FROM, encode, pad_sequences
from data.examples import ExampleTask, many_to_one, take
from data.python_docs import Sections, load_sections
from data.task import Examples

CLASSES = 2
PAIR_SEED = 113  # of the headings that do not belong
HELD_OUT_SHARE = 0.1  # of the paragraphs, for validation; as many for testing


class MatchingConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["matching"]
    vocabulary_size: int = Field(ge=INDEX_FROM + 2, le=1_000_000)  # one word at least
    length: int = Field(ge=2, le=10_000)

    def make(self) -> Matching:
        """Read the texts. Returns the task."""
        count = len(load_sections(0).paragraphs)
        held_out = round(HELD_OUT_SHARE * count)
        sections = load_sections(count - 2 * held_out)
        pairs = self._pairs(sections)
        first, second = 4 * (count - 2 * held_out), 4 * (count - held_out)  # four rows a paragraph
        sets = {
            "valid": take(pairs, slice(first, second)),
            "test": take(pairs, slice(second, None)),
        }
        return Matching(
            take(pairs, slice(first)), sets, (sections.source,), self.vocabulary_size
        )  # fmt: skip

    def _pairs(self, sections: Sections) -> Examples:
        """Four rows for each paragraph: its heading and it, another heading and it."""
        others = other_headings(sections.headings)
        texts, classes = [], []
        for paragraph, own, other in zip(
            sections.paragraphs, sections.headings, others, strict=True
        ):
            for heading, matches in ((own, 1), (other, 0)):
                texts += [sections.heading_texts[heading], paragraph]
                classes += [matches, matches]
        ids = [encode(ranks, self.vocabulary_size) for ranks in texts]
        padded = pad_sequences(ids, self.length, "end", "end")
        return many_to_one(padded.ids, np.array(classes), padded.lengths)


def other_headings(headings: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each paragraph, the heading of another one: each heading is as frequent as its own.

    headings [paragraphs], numbers; no paragraph gets its own.
    """
    stream = np.random.RandomState(PAIR_SEED)
    others = headings[stream.permutation(len(headings))]
    while (clash := np.flatnonzero(others == headings)).size:
        for place in clash:
            swap = stream.randint(len(others))
            others[place], others[swap] = others[swap], others[place]
    return others


@dataclass(frozen=True)
class Matching(ExampleTask):
    """Pairs of texts as word ids, each classified at the last word of both texts."""

    labels: ClassVar[Literal["ids", "values", "pairs"]] = "pairs"
    num_classes: ClassVar[int] = CLASSES

    vocabulary_size: int

    @property
    def num_inputs(self) -> int:
        return self.vocabulary_size

    def windows(self, batch_size: int, num_steps: int, context: int) -> int:
        """Batches in an epoch. Raises ValueError for rows without their partners, too."""
        if batch_size % 2:
            raise ValueError(
                "graph.batch_size: the two texts of a pair are rows of one batch; expected an even "
                f"number, got {batch_size}"
            )
        return super().windows(batch_size, num_steps, context)

    def draw(self, stream: np.random.RandomState) -> Examples:
        """Every training pair once, in a new order."""
        pairs = stream.permutation(len(self.train.labels) // 2)
        return take(self.train, (2 * pairs[:, None] + np.arange(2)).reshape(-1))
