"""Text as symbols: characters or words, the vocabulary of a training part, and ids."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from data.task import DataError
from data.text_files import END_OF_LINE, in_one_form

CHUNK = 1 << 20  # characters at a time: four bytes each, and eight as an index
CODE_POINTS = 0x110000
UNKNOWN_WORD = "<unk>"
UNKNOWN_CHARACTER = "\ufffd"  # Unicode's own mark of a character that cannot be shown

Symbols = Sequence[str]  # a string is one, of its characters
Ids = NDArray[np.signedinteger[Any]]


class Level(Protocol):
    """A kind of symbols that texts consist of."""

    unit: str  # the name of one symbol, for messages
    line_end: str  # the symbol of a line's end
    stand_in: str | None  # for a symbol that the vocabulary lacks, where training has met it

    def shown(self, symbol: str) -> str:
        """A symbol for messages."""

    def split(self, text: str) -> Symbols:
        """The symbols of a text."""

    def join(self, symbols: Iterable[str]) -> str:
        """The text of symbols."""

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """The symbol of each id, from the training part.

        Raises DataError if a held-out part has symbols that cannot be encoded.
        """

    def ids(self, symbols: Symbols, vocabulary: Symbols) -> Ids:
        """The ids of symbols, in the narrowest of int8, int16 and int32. Shape [len(symbols)]."""


class Characters:
    """Each character is a symbol; the vocabulary is sorted by code point."""

    unit = "character"
    line_end = "\n"
    stand_in: str | None = None  # nothing is learned about U+FFFD

    def shown(self, symbol: str) -> str:
        """In quotes, where it can be told apart from them; with its code point beyond ASCII."""
        if symbol.isascii():
            return repr(symbol)
        name = unicodedata.name(symbol, "")
        readable = symbol.isprintable() and not unicodedata.combining(symbol)
        return f"{symbol!r} (U+{ord(symbol):04X})" if readable else f"U+{ord(symbol):04X} {name}"

    def split(self, text: str) -> str:
        """The text itself."""
        return text

    def join(self, symbols: Iterable[str]) -> str:
        return "".join(symbols)

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """U+FFFD comes last where a held-out part has characters that training lacks.

        The model never trains on it. It is rare enough in text that a higher loss is better
        than refusing a book for one accent in its last chapter.
        """
        known = set(training)
        ordered = sorted(known)
        if any(set(part) - known for part in held_out.values()) and UNKNOWN_CHARACTER not in known:
            ordered.append(UNKNOWN_CHARACTER)
        return tuple(ordered)

    def ids(self, symbols: Symbols, vocabulary: Symbols) -> Ids:
        places = {symbol: place for place, symbol in enumerate(vocabulary)}
        dtype = narrowest(len(vocabulary))
        table = np.full(CODE_POINTS, places.get(UNKNOWN_CHARACTER, -1), dtype)
        table[[ord(symbol) for symbol in vocabulary]] = np.arange(len(vocabulary))
        ids = np.empty(len(symbols), dtype)
        for start in range(0, len(symbols), CHUNK):
            part = "".join(symbols[start : start + CHUNK])
            ids[start : start + CHUNK] = table[np.frombuffer(part.encode("utf-32-le"), "<u4")]
        return ids


class Words:
    """Words are separated by white space, and each end of a line is <eos>.

    The vocabulary begins with the most frequent word; equally frequent ones are in order of
    code points. With a `size`, the vocabulary has at most that many symbols: the rarest words
    become <unk>.
    """

    unit = "word"
    line_end = END_OF_LINE
    stand_in: str | None = UNKNOWN_WORD

    def shown(self, symbol: str) -> str:
        """In quotes."""
        return repr(symbol)

    def __init__(self, size: int | None) -> None:
        self._size = size

    def split(self, text: str) -> list[str]:
        return text.replace("\n", f" {END_OF_LINE} ").split()

    def join(self, symbols: Iterable[str]) -> str:
        """One line for each <eos>, one space between words."""
        lines = " ".join("\n" if symbol == END_OF_LINE else symbol for symbol in symbols)
        return lines.replace(" \n", "\n").replace("\n ", "\n")

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """Unknown words of the held-out parts become <unk>, as rare words of training do.

        Raises DataError where training has no <unk>, so that nothing is learned about it.
        """
        counts = _merge_rare(Counter(training), self._size)
        if UNKNOWN_WORD not in counts:
            for name, part in held_out.items():
                _check_known(name, part, counts)
        return tuple(sorted(counts, key=lambda word: (-counts[word], word)))

    def ids(self, symbols: Symbols, vocabulary: Symbols) -> Ids:
        places = {symbol: place for place, symbol in enumerate(vocabulary)}
        unknown = places.get(UNKNOWN_WORD, -1)
        ids = (places.get(symbol, unknown) for symbol in symbols)
        return np.fromiter(ids, narrowest(len(vocabulary)), len(symbols))


class Codec(NamedTuple):
    """Text to ids and back, by a vocabulary."""

    level: Level
    vocabulary: tuple[str, ...]  # the symbol of each id

    def encode(self, text: str) -> Ids:
        """The ids of a text, [symbols], which is read as files are.

        Raises ValueError, naming the first symbol that the vocabulary lacks, where it has none
        to stand for it.
        """
        unknown, unit = self._unknown(text), self.level.unit
        if unknown and self.level.stand_in not in self.vocabulary:
            raise ValueError(
                f"{unit} {self.level.shown(unknown[0])} is not in the vocabulary of "
                f"{len(self.vocabulary):,} {unit}s"
            )
        return self.level.ids(self.level.split(in_one_form(text)), self.vocabulary)

    def replaced(self, text: str) -> list[str]:
        """The symbols, each once, that `encode` replaces by the one for unknown symbols."""
        return self._unknown(text) if self.level.stand_in in self.vocabulary else []

    def first(self) -> Ids:
        """The id, [1], of a line's end, or of the first symbol where no line ends."""
        known = self.level.line_end in self.vocabulary
        symbol = self.level.line_end if known else self.vocabulary[0]
        return self.level.ids([symbol], self.vocabulary)

    @property
    def stop(self) -> int | None:
        """None: a text has no end."""
        return None

    def _unknown(self, text: str) -> list[str]:
        symbols = dict.fromkeys(self.level.split(in_one_form(text)))
        return [symbol for symbol in symbols if symbol not in self.vocabulary]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids."""
        return self.level.join(self.vocabulary[index] for index in ids)


def narrowest(size: int) -> type[np.signedinteger[Any]]:
    """The narrowest integer that holds ids below `size`."""
    fitting = (dtype for dtype in (np.int8, np.int16) if size - 1 <= np.iinfo(dtype).max)
    return next(fitting, np.int32)


def _merge_rare(counts: Counter[str], size: int | None) -> Counter[str]:
    """The counts with the rarest words counted as <unk>, where there are more than `size`."""
    if size is None or len(counts) <= size:
        return counts
    words = sorted(counts.keys() - {UNKNOWN_WORD}, key=lambda word: (-counts[word], word))
    kept = Counter({word: counts[word] for word in words[: size - 1]})
    kept[UNKNOWN_WORD] = counts.total() - kept.total()
    return kept


def _check_known(name: str, part: Symbols, counts: Counter[str]) -> None:
    unknown = [word for word in part if word not in counts]
    if unknown:
        raise DataError(
            f"{name}: {len(unknown):,} of {len(part):,} words are not in the training part, "
            f"{unknown[0]!r} the first, and it has no {UNKNOWN_WORD} to stand for them; set "
            f"task.vocabulary_size below its {len(counts):,} different words"
        )
