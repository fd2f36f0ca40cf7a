"""Words, and the characters of rare ones.

A word outside the vocabulary is spelled: a mark, its characters, a second mark. Every text can be
written, and its loss counts every character. A model could also spell a word of the vocabulary;
the loss is that of the one spelling that is read.

Source: M.-T. Luong & C. Manning, "Achieving Open Vocabulary Neural Machine Translation with Hybrid
Word-Character Models" (2016), who spell rare words by a second network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from data.symbols import (
    UNKNOWN_CHARACTER,
    Characters,
    Ids,
    Symbols,
    alphabet,
    join_words,
    lacking,
    most_frequent,
    narrowest,
    split_words,
)
from data.task import DataError
from data.text_files import END_OF_LINE

# No word holds a space: in the vocabulary, a space tells these apart from words.
BEGIN, END = " <spell>", " </spell>"


class Hybrid(Characters):
    """The `size` most frequent words are symbols, and so are two marks and each character.

    The vocabulary has the words first, then the marks and the characters by code point.
    """

    unit = "word"
    symbol = "symbol"
    line_end = END_OF_LINE

    def __init__(self, size: int) -> None:
        self._size = size

    def split(self, text: str) -> list[str]:
        return split_words(text)

    def join(self, symbols: Iterable[str]) -> str:
        """The text of symbols; characters without marks are read as a word."""
        return join_words(_words(symbols))

    def characters(self, units: Symbols) -> int:
        return len(join_words(units))

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """Raises DataError where no word of training is spelled, so that nothing is learned."""
        counts = Counter(training)
        if len(counts) <= self._size:
            raise DataError(
                "task.vocabulary_size: expected fewer than the different words of training, "
                f"{len(counts):,}, so that some are spelled; got {self._size:,}"
            )
        words = most_frequent(counts)[: self._size]
        letters = alphabet("".join(counts), ("".join(part) for part in held_out.values()))
        return (*words, BEGIN, END, *map(_symbol, letters))

    def unknown(self, units: Symbols, vocabulary: Symbols) -> list[str]:
        """The characters of words that are spelled."""
        spelled = "".join(lacking(units, vocabulary))
        return [symbol[1:] for symbol in lacking(map(_symbol, spelled), vocabulary)]

    def ids(self, units: Symbols, vocabulary: Symbols) -> Ids:
        places = {symbol: place for place, symbol in enumerate(vocabulary)}
        stand_in = places.get(_symbol(UNKNOWN_CHARACTER), -1)
        encoded = {
            word: [places.get(symbol, stand_in) for symbol in _spelling(word)]
            for word in lacking(units, vocabulary)
        }
        ids = (place for word in units for place in encoded.get(word) or (places[word],))
        return np.fromiter(ids, narrowest(len(vocabulary)))


def _symbol(character: str) -> str:
    return f" {character}"


def _spelling(word: str) -> list[str]:
    return [BEGIN, *map(_symbol, word), END]


def _words(symbols: Iterable[str]) -> Iterator[str]:
    """The words of symbols. A mark, or a whole word, ends what was spelled before it."""
    spelled: list[str] = []
    for symbol in symbols:
        if symbol.startswith(" ") and symbol not in (BEGIN, END):
            spelled.append(symbol[1:])
            continue
        if spelled:
            yield "".join(spelled)
            spelled = []
        if not symbol.startswith(" "):
            yield symbol
    if spelled:
        yield "".join(spelled)
