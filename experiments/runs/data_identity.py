"""data.json: the data that a run was trained on, by SHA-256, and the vocabulary of its text.

A path in config.yaml says where the data are, not what they are. Runs of earlier versions, and
runs of tasks that read no data, have no data.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from data.task import Source
from experiments.config.compose import validate
from experiments.runs.directory import RunDirectory
from experiments.runs.files import write_atomic
from experiments.runs.json_file import read_object

SHORT = 12  # characters of a hash, for readers


class DataIdentity(NamedTuple):
    """The content of a data.json."""

    sources: tuple[Source, ...]
    vocabulary: tuple[str, ...] | None  # the symbol of each id; None where there is no text
    replaced: tuple[tuple[Source, ...], ...]  # what the run was trained on before, if it changed


class IdentityForm(BaseModel):
    """The checked form of a data.json that is read back; a later version may write more."""

    model_config = ConfigDict(extra="allow", frozen=True)

    sources: tuple[Source, ...]
    vocabulary: tuple[str, ...] | None
    replaced: tuple[tuple[Source, ...], ...]


def read_identity(directory: RunDirectory) -> DataIdentity | None:
    """The identity of a run's data; None where it has none.

    Raises UsageError where the file is damaged, or a key has another type.
    """
    content = read_object(directory.data)
    if content is None:
        return None
    form: IdentityForm = validate(IdentityForm, content, str(directory.data))
    return DataIdentity(form.sources, form.vocabulary, form.replaced)


def write_identity(directory: RunDirectory, identity: DataIdentity) -> None:
    """Write data.json, in the place of an earlier one."""
    content = {
        "sources": [source._asdict() for source in identity.sources],
        "vocabulary": identity.vocabulary,
        "replaced": [[source._asdict() for source in old] for old in identity.replaced],
    }
    write_atomic(directory.data, json.dumps(content, indent=1) + "\n")


def differences(known: Sequence[Source], found: Sequence[Source]) -> Iterator[str]:
    """A description of each source whose content is not the same; names do not count."""
    for old, new in zip(known, found, strict=False):
        if old.sha256 != new.sha256:
            yield f"{new.name} has the sha256 {new.sha256[:SHORT]}…, not {old.sha256[:SHORT]}…"
    if len(known) != len(found):
        yield f"there are {len(found)} files, not {len(known)}"


def hashes(sources: Sequence[Source]) -> str:
    """The sources' hashes for readers: equal where the contents are."""
    return " ".join(source.sha256[:SHORT] for source in sources)
