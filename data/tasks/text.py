"""A language model's text: each label is the symbol after the input, a character or a word.

Sources: the documentation that Python itself ships; one file of any text; three files in the
form of Mikolov's Penn Treebank (2010), where a rare word is <unk> in the files and the vocabulary
is that of the training file. The text is one long sequence, the same in every epoch.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from data.config import Section, TaskSection
from data.files import Found, check_sha256, find, read
from data.sequences import SequenceTask
from data.symbols import Characters, Codec, Ids, Level, Symbols, Words
from data.task import DataError, Sequence

SPLITS = ("train", "valid", "test")
SHARE = 0.05  # of one text, for each held-out part, where the config says nothing
PYTHON_DOCS = "pydoc_data.topics"

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
    level: Literal["characters", "words"]
    vocabulary_size: Annotated[int, Field(ge=2)] | None
    valid: Share | None
    test: Share | None
    expect: Expected

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
                "vocabulary_size: only words have one, characters are all kept; "
                f"expected null, got {self.vocabulary_size}"
            )
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
        return Shares(*(SHARE if share is None else share for share in (self.valid, self.test)))

    def make(self) -> Text:
        """Read the text. Files are read again only where they have changed."""
        return Text(self, _load(self, tuple(find(path, self.origin) for path in self._paths())))

    def _paths(self) -> list[str]:
        if self.path is None:
            return []
        if self.source == "file":
            return [self.path]
        return [f"{self.path}.{split}.txt" for split in SPLITS]


class Shares(NamedTuple):
    """Shares of one text, from its end: test comes last, valid before it."""

    valid: float
    test: float


class Corpus(NamedTuple):
    """A text in ids; no array can be written to."""

    vocabulary: tuple[str, ...]  # the symbol of each id
    parts: dict[str, Ids]  # of "train", and of "valid" and "test" where they are not empty


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
    def codec(self) -> Codec:
        """Turns text of this vocabulary into ids and back."""
        return Codec(_level(self.config), self.vocabulary)

    @property
    def held_out(self) -> tuple[str, ...]:
        return tuple(split for split in self.corpus.parts if split != "train")

    def draw(self, _stream: np.random.RandomState) -> Sequence:
        """The training part, the same in every epoch. It is not copied."""
        return _next_symbols(self.corpus.parts["train"])

    def evaluation(self, split: str, _stream: np.random.RandomState) -> Sequence:
        """The whole part."""
        return _next_symbols(self.corpus.parts[split])

    def floors(self) -> dict[str, float]:
        """Empty: the exact entropy of a language is not known."""
        return {}


class _Part(NamedTuple):
    name: str  # for messages
    symbols: Symbols


@functools.lru_cache(maxsize=2)
def _load(config: TextConfig, files: tuple[Found, ...]) -> Corpus:
    """Read a text, split it, turn it into ids. Raises DataError where it is not as expected."""
    level, expect = _level(config), config.expect
    texts = [_Part(name, level.split(text)) for name, text in _texts(config, files)]
    for text, count in zip(texts, expect.symbols or [None] * len(texts), strict=True):
        _check_count(text, config.level, count, len(text.symbols))
    if len(texts) > 1:
        parts = dict(zip(SPLITS, texts, strict=True))
    else:
        parts = _cut(texts[0], config.shares)
    for part in parts.values():
        if len(part.symbols) < 2:
            raise DataError(
                f"{part.name}: expected at least 2 {config.level}, found {len(part.symbols)}"
            )
    vocabulary = level.vocabulary(
        parts["train"].symbols,
        {part.name: part.symbols for split, part in parts.items() if split != "train"},
    )
    what = f"different {config.level}"
    _check_count(parts["train"], what, expect.vocabulary, len(vocabulary))
    return Corpus(
        vocabulary,
        {split: _constant(level.ids(part.symbols, vocabulary)) for split, part in parts.items()},
    )


def _texts(config: TextConfig, files: tuple[Found, ...]) -> list[tuple[str, str]]:
    """The name and the text of each source, checked against the hashes."""
    hashes = config.expect.sha256 or [None] * max(len(files), 1)
    if config.source == "python_docs":
        text = _python_docs()
        check_sha256(PYTHON_DOCS, text.encode(), hashes[0])
        return [(PYTHON_DOCS, text)]
    return [
        (str(file.path), _decode(str(file.path), read(file.path, sha256)))
        for file, sha256 in zip(files, hashes, strict=True)
    ]


def _python_docs() -> str:
    """Every topic of `help()`, by name. The text differs between versions of Python."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DataError(
            f"{PYTHON_DOCS}: this Python comes without it; give a text of your own by "
            "task.source=file task.path=FILE"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics))


def _decode(name: str, content: bytes) -> str:
    """UTF-8, with or without a byte order mark; every kind of line end becomes \\n."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected text in UTF-8, found the byte 0x{content[error.start]:02x} "
            f"at place {error.start:,}"
        ) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


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


def _constant(ids: Ids) -> Ids:
    """The ids as a read-only array, because tasks share them."""
    ids.flags.writeable = False
    return ids


def _next_symbols(ids: Ids) -> Sequence:
    return Sequence(ids[:-1], ids[1:])


def _level(config: TextConfig) -> Level:
    return Words(config.vocabulary_size) if config.level == "words" else Characters()
