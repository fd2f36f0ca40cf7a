"""A language model's text: each label is the symbol after the input, from a character to a word.

Sources: the documentation that Python itself ships; one file of any text; three files in the
form of Mikolov's Penn Treebank (2010), where a rare word is <unk> in the files and the vocabulary
is that of the training file. The text is one long sequence.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from data.config import Section, TaskSection
from data.corpus import SPLITS, Corpus, Counts, NamedText, Shares, make_corpus
from data.files import Found, check_sha256, find, read, source
from data.hybrid import Hybrid
from data.sequences import SequenceTask
from data.subwords import Subwords
from data.symbols import Characters, Codec, Ids, Level, Words, join_words, split_words
from data.task import DataError, Sequence, Source, Spelled
from data.text_files import (
    PYTHON_DOCS,
    Lines,
    decode,
    python_docs,
    without_blank_lines,
    without_own_ends,
)

SHARE = 0.05  # of one text, for each held-out part, where the config says nothing

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Expected(Section):
    """Checks of the data: a hash and a number of symbols for each file, in order; or null."""

    sha256: tuple[Sha256, ...] | None
    symbols: tuple[Count, ...] | None
    vocabulary: Count | None


class TextConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["text"]
    source: Literal["python_docs", "file", "three_files"]
    path: Annotated[str, Field(min_length=1)] | None
    origin: str | None
    level: Literal["characters", "subwords", "words", "hybrid"]
    vocabulary_size: Annotated[int, Field(ge=2)] | None
    valid: Share | None
    test: Share | None
    expect: Expected
    held_out_rows: Count | None = None  # runs of earlier versions have none of these keys
    rotate: bool = False
    comparable: bool = False

    @model_validator(mode="after")
    def _the_path_is_of_use(self) -> Self:
        if self.source == "python_docs" and self.path is not None:
            raise ValueError(
                "path: source python_docs reads no file, file and three_files do; "
                f"expected null, got {self.path!r}"
            )
        if self.source != "python_docs" and self.path is None:
            raise ValueError(f"path: source {self.source} needs it; got null")
        return self

    @model_validator(mode="after")
    def _shares_are_of_use(self) -> Self:
        if self.source == "three_files":
            for key, share in (("valid", self.valid), ("test", self.test)):
                if share is not None:
                    raise ValueError(f"{key}: three files have their own; expected null")
        elif self.shares.valid + self.shares.test >= 1:
            raise ValueError(
                "valid + test must leave a share to training; "
                f"got {self.shares.valid:g} + {self.shares.test:g}"
            )
        return self

    @model_validator(mode="after")
    def _vocabulary_size_is_of_use(self) -> Self:
        if self.level == "characters" and self.vocabulary_size is not None:
            raise ValueError(
                "vocabulary_size: characters are all kept; "
                f"expected null, got {self.vocabulary_size}"
            )
        if self.level in ("subwords", "hybrid") and self.vocabulary_size is None:
            raise ValueError(f"vocabulary_size: level {self.level} needs it; got null")
        return self

    @model_validator(mode="after")
    def _one_expectation_a_file(self) -> Self:
        files = 3 if self.source == "three_files" else 1
        for key, values in (("sha256", self.expect.sha256), ("symbols", self.expect.symbols)):
            if values is not None and len(values) != files:
                raise ValueError(
                    f"expect.{key}: expected {files} for source {self.source}, one a file; "
                    f"got {len(values)}"
                )
        return self

    @property
    def shares(self) -> Shares:
        """The held-out shares of one text."""
        valid, test = (SHARE if share is None else share for share in (self.valid, self.test))
        return Shares(valid, test, at_lines=self.comparable)

    def make(self) -> Text:
        """Read the text. Files are read again only where they have changed."""
        return self._checked(_load(self, self._files(), None))

    def make_with(self, vocabulary: tuple[str, ...]) -> Text:
        """Read the text in the ids of this vocabulary.

        Raises DataError where a symbol is not in it, and nothing in it stands for the symbol.
        """
        return self._checked(_load(self, self._files(), vocabulary))

    def without_data(self, vocabulary: tuple[str, ...]) -> Text:
        """The task with this vocabulary and no text."""
        return Text(self, Corpus(vocabulary, {}, (), (), {}))

    def _checked(self, corpus: Corpus) -> Text:
        for split, part in corpus.parts.items():
            size, rows = len(part) - 1, self.held_out_rows
            if split != "train" and rows is not None and rows > size:
                raise DataError(
                    f"task.held_out_rows: expected at most the labels of {split}, {size:,}; "
                    f"got {rows:,}"
                )
        return Text(self, corpus)

    def _files(self) -> tuple[Found, ...]:
        return tuple(find(path, self.origin) for path in self._paths())

    def _paths(self) -> list[str]:
        if self.path is None:
            return []
        if self.source == "file":
            return [self.path]
        return [f"{self.path}.{split}.txt" for split in SPLITS]


@dataclass(frozen=True, eq=False)
class Text(SequenceTask):
    """A corpus in parts, each read as one long sequence."""

    config: TextConfig
    corpus: Corpus

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The symbol of each id."""
        return self.corpus.vocabulary

    @property
    def num_inputs(self) -> int:
        return len(self.vocabulary)

    @property
    def num_classes(self) -> int:
        return len(self.vocabulary)

    @property
    def size(self) -> int:
        return len(self.corpus.parts["train"]) - 1  # the last symbol is a label only

    @property
    def sources(self) -> tuple[Source, ...]:
        return self.corpus.sources

    @property
    def notes(self) -> tuple[str, ...]:
        return self.corpus.notes

    @property
    def held_out_rows(self) -> int | None:
        return self.config.held_out_rows

    @property
    def codec(self) -> Codec:
        """Turns text of this vocabulary into ids and back."""
        return Codec(_level(self.config), self.vocabulary)

    @property
    def held_out(self) -> tuple[str, ...]:
        return tuple(split for split in self.corpus.parts if split != "train")

    def spelled(self, split: str) -> Spelled | None:
        return None if self.held_out_rows else self.corpus.spelled[split]

    def left_out(self, batch_size: int, num_steps: int, context: int) -> float:
        if self.config.rotate:
            return 0.0
        used = self.windows(batch_size, num_steps, context) * num_steps * batch_size
        return 1 - used / self.size

    def draw(self, stream: np.random.RandomState) -> Sequence:
        """The training part: the same memory in every epoch, or begun at another place."""
        sequence = _next_symbols(self.corpus.parts["train"])
        if not self.config.rotate:
            return sequence
        first = stream.randint(self.size)
        return Sequence(*(np.roll(part, -first) for part in sequence))

    def evaluation(self, split: str, _stream: np.random.RandomState) -> Sequence:
        """The whole part."""
        return _next_symbols(self.corpus.parts[split])

    def floors(self) -> dict[str, float]:
        """Empty: the exact entropy of a language is not known."""
        return {}


@functools.lru_cache(maxsize=2)
def _load(
    config: TextConfig, files: tuple[Found, ...], vocabulary: tuple[str, ...] | None
) -> Corpus:
    """Read a text, split it, turn it into ids. Raises DataError where it is not as expected."""
    counts = Counts(config.expect.symbols, config.expect.vocabulary)
    texts = [_by_lines(config, text) for text in _texts(config, files)]
    return make_corpus(texts, _level(config), config.shares, counts, vocabulary)


def _texts(config: TextConfig, files: tuple[Found, ...]) -> Iterator[NamedText]:
    """The text of each source, checked against the hashes."""
    hashes = config.expect.sha256 or [None] * max(len(files), 1)
    if config.source == "python_docs":
        text = python_docs()
        check_sha256(PYTHON_DOCS, text.encode(), hashes[0])
        yield NamedText(source(PYTHON_DOCS, text.encode()), text)
    for file, sha256 in zip(files, hashes, strict=False):
        content = read(file.path, sha256)
        yield NamedText(source(file.path, content), decode(str(file.path), content))


def _by_lines(config: TextConfig, text: NamedText) -> NamedText:
    """The text with one end for each line, where the level has a symbol for it."""
    if config.level in ("characters", "subwords") and not config.comparable:
        return text
    lines = Lines(text.text, ())
    if config.source == "three_files":
        lines = without_blank_lines(lines)
    lines = without_own_ends(lines)
    notes = tuple(f"{text.source.name}: {note}" for note in lines.notes)
    content = join_words(split_words(lines.text)) if config.comparable else lines.text
    return NamedText(text.source, content, notes)


def _next_symbols(ids: Ids) -> Sequence:
    return Sequence(ids[:-1], ids[1:])


def _level(config: TextConfig) -> Level:
    size = config.vocabulary_size
    match config.level:
        case "characters":
            return Characters()
        case "words":
            return Words(size)
    assert size is not None, "checked by the config"
    return Subwords(size) if config.level == "subwords" else Hybrid(size)
