"""A corpus: texts cut into parts, in ids of a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from data.symbols import Ids, Level, Symbols
from data.task import DataError, Source, Spelled

SPLITS = ("train", "valid", "test")


class NamedText(NamedTuple):
    """The text of one source."""

    source: Source
    text: str
    notes: tuple[str, ...] = ()  # remarks for the user


class Shares(NamedTuple):
    """Shares of one text, from its end: test comes last, valid before it."""

    valid: float
    test: float
    # Shares of the characters, and parts end with a line. The end of the line before is also the
    # first symbol of a held-out part, so that its labels spell the same text at every level.
    at_lines: bool = False


class Counts(NamedTuple):
    """Numbers that are checked; None where any will do."""

    symbols: Sequence[int] | None  # one for each text
    vocabulary: int | None


class Corpus(NamedTuple):
    """Texts in ids; no array can be written to."""

    vocabulary: tuple[str, ...]  # the symbol of each id
    parts: dict[str, Ids]  # of "train", and of "valid" and "test" where they are not empty
    sources: tuple[Source, ...]
    notes: tuple[str, ...]
    spelled: dict[str, Spelled]  # the labels of each part


class _Part(NamedTuple):
    name: str  # for messages
    symbols: Symbols


def make_corpus(
    texts: Sequence[NamedText],
    level: Level,
    shares: Shares,
    expected: Counts,
    vocabulary: tuple[str, ...] | None = None,
) -> Corpus:
    """One text cut by the shares, or three as they are, in ids.

    The vocabulary is that of the training part where none is given. Raises DataError where a
    count is not as expected, a part is too small or a symbol is not in the vocabulary.
    """
    many = f"{level.unit}s"
    found = [_Part(text.source.name, level.split(text.text)) for text in texts]
    counts: Sequence[int | None] = expected.symbols or [None] * len(texts)
    for text, count in zip(found, counts, strict=True):
        _check_count(text, many, count, len(text.symbols))
    parts = _parts(texts, found, level, shares)
    for split, part in parts.items():
        if len(part.symbols) < 2:
            key = f"; task.{split} is its share of the text" if len(found) == 1 else ""
            key = "" if split == "train" else key
            raise DataError(
                f"{part.name}: expected at least 2 {many}, found {len(part.symbols)}{key}"
            )
    held_out = {part.name: part.symbols for split, part in parts.items() if split != "train"}
    if vocabulary is None:
        vocabulary = level.vocabulary(parts["train"].symbols, held_out)
        kinds = f"different {level.symbol}s"
        _check_count(parts["train"], kinds, expected.vocabulary, len(vocabulary))
    ids = {split: _ids(part, level, vocabulary) for split, part in parts.items()}
    spelled = {
        split: _spelled(part.symbols, ids[split], level, vocabulary)
        for split, part in parts.items()
    }
    sources = tuple(text.source for text in texts)
    notes = tuple(note for text in texts for note in text.notes)
    return Corpus(vocabulary, ids, sources, notes, spelled)


def _parts(
    texts: Sequence[NamedText], found: Sequence[_Part], level: Level, shares: Shares
) -> dict[str, _Part]:  # fmt: skip
    """Three texts as they are, or one that is cut."""
    if len(found) > 1:
        return dict(zip(SPLITS, found, strict=True))
    if not shares.at_lines:
        return _cut(found[0], shares)
    return {
        split: _Part(f"{found[0].name}, {split} part", level.split(part))
        for split, part in _cut_at_lines(texts[0], shares).items()
    }


def _cut_at_lines(text: NamedText, shares: Shares) -> dict[str, str]:
    """The parts of one text, cut at the first end of a line from each share on."""
    size, parts, end = len(text.text), {}, len(text.text)
    held_out = 0.0
    for split, share in (("test", shares.test), ("valid", shares.valid)):
        if not share:
            continue
        held_out += share
        start = text.text.find("\n", size - int(size * held_out), end)
        if start < 0:
            raise DataError(
                f"{text.source.name}: task.comparable: expected the end of a line where the "
                f"{split} part begins, {100 * held_out:g} % before the end; found none"
            )
        parts[split] = text.text[start:end]
        end = start + 1
    return {"train": text.text[:end], **dict(reversed(parts.items()))}


def _spelled(units: Symbols, ids: Ids, level: Level, vocabulary: tuple[str, ...]) -> Spelled:
    """The text of all symbols but the first, which is no label."""
    symbol = vocabulary[ids[0]]
    first = len(level.join([units[0] if symbol == level.stand_in else symbol]))
    stand_in = vocabulary.index(level.stand_in) if level.stand_in in vocabulary else -1
    return Spelled(len(ids) - 1, level.characters(units) - first, int((ids[1:] == stand_in).sum()))


def _cut(text: _Part, shares: Shares) -> dict[str, _Part]:
    """The parts of one text; held-out parts of share 0 are left out."""
    size = len(text.symbols)
    test = size - int(size * shares.test)
    valid = test - int(size * shares.valid)
    parts = {"train": text.symbols[:valid]}
    if shares.valid:
        parts["valid"] = text.symbols[valid:test]
    if shares.test:
        parts["test"] = text.symbols[test:]
    return {split: _Part(f"{text.name}, {split} part", part) for split, part in parts.items()}


def _check_count(part: _Part, what: str, expected: int | None, found: int) -> None:
    if expected not in (None, found):
        raise DataError(
            f"{part.name}: not the expected data: expected {expected:,} {what}, found {found:,}"
        )


def _ids(part: _Part, level: Level, vocabulary: tuple[str, ...]) -> Ids:
    """The ids as a read-only array, because tasks share them."""
    ids = level.ids(part.symbols, vocabulary)
    if ids.min() < 0:
        first = level.unknown(part.symbols, vocabulary)[0]
        raise DataError(
            f"{part.name}: {(ids < 0).sum():,} of {len(ids):,} {level.symbol}s are not in the "
            f"run's vocabulary, {first!r} the first"
        )
    ids.flags.writeable = False
    return ids
