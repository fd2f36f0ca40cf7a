"""Documents of two classes, classified at their last word. Many to one.

Source: IMDB's film reviews, positive or negative, as Keras stores and encodes them; see
data/documents.py for its conventions, and data/python_docs.py for a small set without files.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from data.config import TaskSection
from data.documents import (
    INDEX_FROM,
    Documents,
    End,
    encode,
    pad_sequences,
)
from data.examples import ExampleTask, hold_out, many_to_one
from data.files import Found, find
from data.imdb import ORIGIN, load_imdb
from data.python_docs import load_python_docs
from data.task import Examples

CLASSES = 2
IMDB_FILE = "imdb/imdb.npz"


class SentimentConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["sentiment"]
    source: Literal["python_docs", "imdb"]
    path: str | None
    trust_unknown_file: bool
    vocabulary_size: int = Field(ge=INDEX_FROM + 2, le=1_000_000)  # one word at least
    length: int = Field(ge=1, le=10_000)
    pad: End
    truncate: End
    valid: float = Field(ge=0, le=0.5)

    @field_validator("path", "trust_unknown_file")
    @classmethod
    def _files_are_for_imdb(
        cls, value: str | bool | None, info: ValidationInfo
    ) -> str | bool | None:
        if value not in (None, False) and info.data.get("source") == "python_docs":
            unset = "null" if info.field_name == "path" else "false"
            raise ValueError(f"source python_docs reads no file; expected {unset}, got {value!r}")
        return value

    def make(self) -> Sentiment:
        """Read the documents. Returns the task."""
        if self.source == "python_docs":
            return _load(self, None)
        return _load(self, find(IMDB_FILE if self.path is None else self.path, ORIGIN))

    def examples(self, documents: Documents) -> Examples:
        """The documents, cut and padded to one length."""
        sequences = [encode(ranks, self.vocabulary_size) for ranks in documents.ranks]
        padded = pad_sequences(sequences, self.length, self.pad, self.truncate)
        return many_to_one(padded.ids, documents.classes, padded.lengths)


@functools.lru_cache(maxsize=1)  # reading takes seconds, and a command asks for its data again
def _load(config: SentimentConfig, file: Found | None) -> Sentiment:
    found = load_python_docs() if file is None else load_imdb(file.path, config.trust_unknown_file)
    train, sets = hold_out(config.examples(found.train), config.examples(found.test), config.valid)
    return Sentiment(train, sets, (found.source,), config.vocabulary_size, notes=found.notes)


@dataclass(frozen=True)
class Sentiment(ExampleTask):
    """Documents as word ids, each classified at its last word."""

    num_classes: ClassVar[int] = CLASSES

    vocabulary_size: int

    @property
    def num_inputs(self) -> int:
        return self.vocabulary_size
