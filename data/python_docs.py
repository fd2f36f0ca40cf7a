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

import numpy as np
from numpy.typing import NDArray

from data.documents import SHUFFLE_SEED, Documents, DocumentSets
from data.files import source
from data.task import DataError

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


def _paragraphs(chapters: tuple[str, ...]) -> dict[Words, None]:
    """The words of each paragraph, in order, none twice."""
    try:
        topics: dict[str, str] = importlib.import_module(NAME).topics
        texts = [topics[chapter] for chapter in chapters]
    except (ImportError, KeyError) as error:
        raise DataError(
            f"{NAME}: expected Python's documentation with all chapters used; {error}"
        ) from error
    found: dict[Words, None] = {}
    for paragraph in re.split(r"\n\s*\n", "\n\n".join(texts)):
        words = tuple(re.findall(r"[a-z_]+", paragraph.lower()))
        if len(words) >= MIN_WORDS:
            found[words] = None
    return found


def _ranks(paragraphs: list[Words]) -> dict[str, int]:
    """The rank of each word, 1 for the most frequent. Equally frequent words are in order."""
    counts = Counter(word for words in paragraphs for word in words)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: rank for rank, word in enumerate(ordered, start=1)}


def _look_up(words: Words, ranks: dict[str, int]) -> NDArray[np.int32]:
    return np.array([ranks[word] for word in words if word in ranks], np.int32)
