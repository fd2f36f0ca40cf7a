"""Paragraphs of Python's own documentation, of two kinds. A small set that Python itself ships.

Python's help() shows chapters of its language reference, which are in `pydoc_data.topics`. Class
0 are paragraphs of chapters on statements and how they are executed, class 1 those on objects,
types and their methods. They have no sentiment, but the task is of the same kind: read words
and decide between two classes. Each version of Python has its own text; 3.11 has 451 and 663
paragraphs.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.documents import SHUFFLE_SEED, Documents, DocumentSets
from data.files import source
from data.task import DataError, Source

STATEMENTS = (
    *("assert", "assignment", "augassign", "async", "break", "class", "compound", "continue"),
    *("del", "exceptions", "execmodel", "for", "function", "global", "if", "import", "naming"),
    *("nonlocal", "pass", "raise", "return", "try", "while", "with", "yield"),
)
OBJECTS = (
    *("objects", "types", "specialnames", "string-methods", "typesmapping", "typesseq"),
    "typesseq-mutable",
)
NAME = "pydoc_data.topics"
TEST_SHARE = 0.2
MIN_WORDS = 5  # shorter paragraphs are headings and lines of grammar

HEADING = re.compile(r"^([^\n]+)\n([*=\-~^\"])\2{2,}\n", re.MULTILINE)  # a line, underlined

Words = tuple[str, ...]


def load_python_docs() -> DocumentSets:
    """The paragraphs in a fixed random order, the last fifth of them for testing.

    The vocabulary is that of the training paragraphs; test paragraphs skip what is not in it, as
    Keras's IMDB does. Raises DataError for a Python without its documentation.
    """
    statements, objects = _paragraphs(STATEMENTS), _paragraphs(OBJECTS)
    # Chapters quote each other. What is in both classes has no class.
    paragraphs = [words for words in statements if words not in objects]
    first_object = len(paragraphs)
    paragraphs += [words for words in objects if words not in statements]
    order = np.random.RandomState(SHUFFLE_SEED).permutation(len(paragraphs))
    paragraphs = [paragraphs[place] for place in order]
    classes = (order >= first_object).astype(np.int64)
    first_test = len(paragraphs) - round(TEST_SHARE * len(paragraphs))
    ranks = _ranks(paragraphs[:first_test])
    documents = [_look_up(words, ranks) for words in paragraphs]
    return DocumentSets(
        Documents(documents[:first_test], classes[:first_test]),
        Documents(documents[first_test:], classes[first_test:]),
        source(NAME, "\n".join(map(" ".join, paragraphs)).encode()),
    )


class Sections(NamedTuple):
    """Paragraphs with the headings that they stand below, as the ranks of their words."""

    heading_texts: list[NDArray[np.int32]]
    paragraphs: list[NDArray[np.int32]]
    headings: NDArray[np.intp]  # [paragraphs]: the number of its heading
    source: Source


def load_sections(training: int) -> Sections:
    """All paragraphs in a fixed random order, each with its heading.

    The vocabulary is that of the first `training` of them and of their headings. A paragraph that
    stands below two headings belongs to neither. Raises DataError for a Python without its
    documentation.
    """
    below = _headings_of_paragraphs()
    texts = [words for words, headings in below.items() if len(headings) == 1]
    order = np.random.RandomState(SHUFFLE_SEED).permutation(len(texts))
    texts = [texts[place] for place in order]
    named = [below[words][0] for words in texts]
    numbers = {heading: number for number, heading in enumerate(sorted(set(named)))}
    ranks = _ranks([*texts[:training], *named[:training]])
    content = "\n".join(
        " ".join([*heading, ":", *words]) for heading, words in zip(named, texts, strict=True)
    )
    return Sections(
        [_look_up(heading, ranks) for heading in numbers],
        [_look_up(words, ranks) for words in texts],
        np.array([numbers[heading] for heading in named]),
        source(NAME, content.encode()),
    )


def _headings_of_paragraphs() -> dict[Words, list[Words]]:
    """The words of each paragraph in all chapters, with those of the headings above it."""
    below: dict[Words, list[Words]] = {}
    for _, text in sorted(_topics().items()):
        found = list(HEADING.finditer(text))
        ends = [*(match.start() for match in found[1:]), len(text)]
        for match, end in zip(found, ends, strict=True):
            heading = _words(match[1])
            for words in _split(text[match.end() : end]):
                if heading and heading not in below.setdefault(words, []):
                    below[words].append(heading)
    return below


def _topics() -> dict[str, str]:
    """The text of each chapter. Raises DataError where there is none."""
    try:
        topics: dict[str, str] = importlib.import_module(NAME).topics
    except ImportError as error:
        raise DataError(f"{NAME}: expected Python's documentation; {error}") from error
    return topics


def _paragraphs(chapters: tuple[str, ...]) -> dict[Words, None]:
    """The words of each paragraph, in order, none twice."""
    topics = _topics()
    missing = [chapter for chapter in chapters if chapter not in topics]
    if missing:
        raise DataError(
            f"{NAME}: expected Python's documentation with all chapters used; it has no "
            f"{', '.join(missing)}"
        )
    return dict.fromkeys(_split("\n\n".join(topics[chapter] for chapter in chapters)))


def _split(text: str) -> Iterable[Words]:
    """The words of each paragraph of a text that is long enough."""
    for paragraph in re.split(r"\n\s*\n", text):
        words = _words(paragraph)
        if len(words) >= MIN_WORDS:
            yield words


def _words(text: str) -> Words:
    return tuple(re.findall(r"[a-z_]+", text.lower()))


def _ranks(paragraphs: list[Words]) -> dict[str, int]:
    """The rank of each word, 1 for the most frequent. Equally frequent words are in order."""
    counts = Counter(word for words in paragraphs for word in words)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: rank for rank, word in enumerate(ordered, start=1)}


def _look_up(words: Words, ranks: dict[str, int]) -> NDArray[np.int32]:
    return np.array([ranks[word] for word in words if word in ranks], np.int32)
