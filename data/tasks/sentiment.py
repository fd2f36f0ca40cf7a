"""Documents of two classes, classified at their last word. Many to one.

Source: IMDB's film reviews, positive or negative, as Keras stores and encodes them; see
data/documents.py for its conventions, and data/python_docs.py for a small set without files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from data.config import TaskSection
from data.documents import (
    INDEX_FROM,
    Documents,
    DocumentSets,
    End,
    encode,
    pad_sequences,
)
from data.examples import ExampleTask, hold_out, many_to_one
from data.files import resolve
from data.imdb import load_imdb
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
        documents = self._documents()
        train, sets = hold_out(
            self._examples(documents.train), self._examples(documents.test), self.valid
        )
        return Sentiment(
            train, sets, (documents.source,), self.vocabulary_size, notes=documents.notes
        )

    def _documents(self) -> DocumentSets:
        if self.source == "imdb":
            path = resolve(IMDB_FILE if self.path is None else self.path)
            return load_imdb(path, self.trust_unknown_file)
        return load_python_docs()

    def _examples(self, documents: Documents) -> Examples:
        sequences = [encode(ranks, self.vocabulary_size) for ranks in documents.ranks]
        padded = pad_sequences(sequences, self.length, self.pad, self.truncate)
        return many_to_one(padded.ids, documents.classes, padded.lengths)


@dataclass(frozen=True)
class Sentiment(ExampleTask):
    """Documents as word ids, each classified at its last word."""

    num_classes: ClassVar[int] = CLASSES

    vocabulary_size: int

    @property
    def num_inputs(self) -> int:
        return self.vocabulary_size
