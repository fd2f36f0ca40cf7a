"""Text as symbols: characters or words, the vocabulary of a training part, and ids.

data/subwords.py and data/hybrid.py hold the levels between them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from data.task import DataError, Spelled
from data.text_files import END_OF_LINE, in_one_form

CHUNK = 1 << 20  # characters at a time: four bytes each, and eight as an index
CODE_POINTS = 0x110000
UNKNOWN_WORD = "<unk>"
UNKNOWN_CHARACTER = "\ufffd"  # Unicode's own mark of a character that cannot be shown

Symbols = Sequence[str]  # a string is one, of its characters
Ids = NDArray[np.signedinteger[Any]]


class Level(Protocol):
    """A kind of symbols that texts consist of.

    A text is split into units, which need no vocabulary; a unit is one symbol or several.
    """

    unit: str  # the names of a unit, of a symbol, and of what may be unknown, for messages
    symbol: str
    atom: str
    line_end: str  # the symbol of a line's end
    stand_in: str | None  # for a symbol that the vocabulary lacks, where training has met it

    def shown(self, atom: str) -> str:
        """What is unknown, for messages."""

    def split(self, text: str) -> Symbols:
        """The units of a text."""

    def join(self, symbols: Iterable[str]) -> str:
        """The text of symbols."""

    def characters(self, units: Symbols) -> int:
        """The characters of the text of units."""

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """The symbol of each id, from the units of the training part.

        Raises DataError if a held-out part has units that cannot be encoded.
        """

    def unknown(self, units: Symbols, vocabulary: Symbols) -> list[str]:
        """The atoms of units, each once, that the vocabulary lacks."""

    def ids(self, units: Symbols, vocabulary: Symbols) -> Ids:
        """The ids of units, in the narrowest of int8, int16 and int32.

        What the vocabulary lacks has the id of its stand-in there, or -1. Shape [symbols].
        """


class Characters:
    """Each character is a symbol; the vocabulary is sorted by code point."""

    unit = symbol = atom = "character"
    line_end = "\n"
    stand_in: str | None = None  # nothing is learned about U+FFFD

    def shown(self, atom: str) -> str:
        """In quotes, where it can be told apart from them; with its code point beyond ASCII."""
        if atom.isascii():
            return repr(atom)
        name = unicodedata.name(atom, "")
        readable = atom.isprintable() and not unicodedata.combining(atom)
        return f"{atom!r} (U+{ord(atom):04X})" if readable else f"U+{ord(atom):04X} {name}"

    def split(self, text: str) -> Symbols:
        """The text itself."""
        return text

    def join(self, symbols: Iterable[str]) -> str:
        return "".join(symbols)

    def characters(self, units: Symbols) -> int:
        return len(units)

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """U+FFFD comes last where a held-out part has characters that training lacks.

        The model never trains on it. It is rare enough in text that a higher loss is better
        than refusing a book for one accent in its last chapter.
        """
        return tuple(alphabet(training, held_out.values()))

    def unknown(self, units: Symbols, vocabulary: Symbols) -> list[str]:
        return lacking(units, vocabulary)

    def ids(self, units: Symbols, vocabulary: Symbols) -> Ids:
        places = {symbol: place for place, symbol in enumerate(vocabulary)}
        dtype = narrowest(len(vocabulary))
        table = np.full(CODE_POINTS, places.get(UNKNOWN_CHARACTER, -1), dtype)
        table[[ord(symbol) for symbol in vocabulary]] = np.arange(len(vocabulary))
        ids = np.empty(len(units), dtype)
        for start in range(0, len(units), CHUNK):
            part = "".join(units[start : start + CHUNK])
            ids[start : start + CHUNK] = table[np.frombuffer(part.encode("utf-32-le"), "<u4")]
        return ids


class Words:
    """Words are separated by white space, and each end of a line is <eos>.

    The vocabulary begins with the most frequent word; equally frequent ones are in order of
    code points. With a `size`, the vocabulary has at most that many symbols: the rarest words
    become <unk>.
    """

    unit = symbol = atom = "word"
    line_end = END_OF_LINE
    stand_in: str | None = UNKNOWN_WORD

    def __init__(self, size: int | None) -> None:
        self._size = size

    def shown(self, atom: str) -> str:
        """In quotes."""
        return repr(atom)

    def split(self, text: str) -> list[str]:
        return split_words(text)

    def join(self, symbols: Iterable[str]) -> str:
        """One line for each <eos>, one space between words."""
        return join_words(symbols)

    def characters(self, units: Symbols) -> int:
        """With the spelling of words that become <unk>."""
        return len(join_words(units))

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        """Unknown words of the held-out parts become <unk>, as rare words of training do.

        Raises DataError where training has no <unk>, so that nothing is learned about it.
        """
        counts = _merge_rare(Counter(training), self._size)
        if UNKNOWN_WORD not in counts:
            for name, part in held_out.items():
                _check_known(name, part, counts)
        return tuple(most_frequent(counts))

    def unknown(self, units: Symbols, vocabulary: Symbols) -> list[str]:
        return lacking(units, vocabulary)

    def ids(self, units: Symbols, vocabulary: Symbols) -> Ids:
        places = {symbol: place for place, symbol in enumerate(vocabulary)}
        unknown = places.get(UNKNOWN_WORD, -1)
        ids = (places.get(word, unknown) for word in units)
        return np.fromiter(ids, narrowest(len(vocabulary)), len(units))


class Codec(NamedTuple):
    """Text to ids and back, by a vocabulary."""

    level: Level
    vocabulary: tuple[str, ...]  # the symbol of each id

    def encode(self, text: str) -> Ids:
        """The ids of a text, [symbols], which is read as files are.

        Raises ValueError, naming the first symbol that the vocabulary lacks, where it has none
        to stand for it.
        """
        level, units = self.level, self._units(text)
        unknown = level.unknown(units, self.vocabulary)
        if unknown and level.stand_in not in self.vocabulary:
            raise ValueError(
                f"{level.atom} {level.shown(unknown[0])} is not in the vocabulary of "
                f"{len(self.vocabulary):,} {level.symbol}s"
            )
        return level.ids(units, self.vocabulary)

    def replaced(self, text: str) -> list[str]:
        """The symbols, each once, that `encode` replaces by the one for unknown symbols."""
        if self.level.stand_in not in self.vocabulary:
            return []
        return self.level.unknown(self._units(text), self.vocabulary)

    def spelled(self, text: str) -> Spelled:
        """The text that its ids spell, which `encode` accepts; without what the level skips."""
        units = self._units(text)
        ids, stand_in = self.level.ids(units, self.vocabulary), self.level.stand_in
        unknown = sum(self.vocabulary[index] == stand_in for index in ids)
        return Spelled(len(ids), self.level.characters(units), unknown)

    def first(self) -> Ids:
        """The id, [1], of a line's end, or of the first symbol where no line ends."""
        known = self.level.line_end in self.vocabulary
        place = self.vocabulary.index(self.level.line_end) if known else 0
        return np.array([place], narrowest(len(self.vocabulary)))

    @property
    def stop(self) -> int | None:
        """None: a text has no end."""
        return None

    def _units(self, text: str) -> Symbols:
        return self.level.split(in_one_form(text))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids."""
        return self.level.join(self.vocabulary[index] for index in ids)


def split_words(text: str) -> list[str]:
    """The words of a text, with one <eos> for each end of a line."""
    return text.replace("\n", f" {END_OF_LINE} ").split()


def join_words(words: Iterable[str]) -> str:
    """One line for each <eos>, one space between words."""
    lines = " ".join("\n" if word == END_OF_LINE else word for word in words)
    return lines.replace(" \n", "\n").replace("\n ", "\n")


def alphabet(training: Iterable[str], held_out: Iterable[Iterable[str]]) -> list[str]:
    """The characters of training by code point; U+FFFD last where a held-out part has others."""
    known = set(training)
    ordered = sorted(known)
    if UNKNOWN_CHARACTER not in known and any(set(part) - known for part in held_out):
        ordered.append(UNKNOWN_CHARACTER)
    return ordered


def lacking(symbols: Iterable[str], vocabulary: Symbols) -> list[str]:
    """The symbols, each once, that are not in the vocabulary."""
    known = set(vocabulary)
    return [symbol for symbol in dict.fromkeys(symbols) if symbol not in known]


def most_frequent(counts: Counter[str]) -> list[str]:
    """The words from the most frequent on; equally frequent ones by code points."""
    return sorted(counts, key=lambda word: (-counts[word], word))


def narrowest(size: int) -> type[np.signedinteger[Any]]:
    """The narrowest integer that holds ids below `size`."""
    fitting = (dtype for dtype in (np.int8, np.int16) if size - 1 <= np.iinfo(dtype).max)
    return next(fitting, np.int32)


def _merge_rare(counts: Counter[str], size: int | None) -> Counter[str]:
    """The counts with the rarest words counted as <unk>, where there are more than `size`."""
    if size is None or len(counts) <= size:
        return counts
    words = [word for word in most_frequent(counts) if word != UNKNOWN_WORD]
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
