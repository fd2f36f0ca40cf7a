"""The runs of a study by name: how YAML names them, and those that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from experiments.reporting.claims import NotRun
from experiments.runs.run import Run


class RunName(str):
    """The name of one run. Every field of this type is checked against the study's runs."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class RunPattern(RunName):
    """A name, or a pattern for several, as "tf_style/gru,*" is for a part of a grid."""

    __slots__ = ()


def names_in(value: Any) -> Iterator[RunName]:
    """Every run name and pattern inside a value, at any depth, whatever its field is called."""
    match value:
        case RunName():
            yield value
        case BaseModel():
            for key in type(value).model_fields:
                yield from names_in(getattr(value, key))
        case Mapping():
            yield from names_in([*value.keys(), *value.values()])
        case list() | tuple():
            for part in value:
                yield from names_in(part)


def hits(name: RunName, known: Iterable[str]) -> list[str]:
    """The known runs that a name or a pattern stands for."""
    names = list(known)
    if isinstance(name, RunPattern) and name not in names:  # which may hold brackets: g/[16,16]
        return [each for each in names if fnmatchcase(each, name)]
    return [each for each in names if each == name]


def matching(patterns: Sequence[RunName], known: Iterable[str]) -> list[str]:
    """The known runs that names and patterns stand for, each once, in their order."""
    names = list(known)
    return list(dict.fromkeys(name for pattern in patterns for name in hits(pattern, names)))


@dataclass(frozen=True)
class StudyRuns:
    """The finished runs of a study, and why the others are not among them."""

    there: Mapping[str, Run]
    absent: Mapping[str, str] = field(default_factory=dict)  # reasons by name

    def __getitem__(self, name: str) -> Run:
        """The run of this name. Raises NotRun, with the reason, where it is absent."""
        if name not in self.there:
            raise NotRun(f"run {name}: {self.absent[name]}")
        return self.there[name]

    def __contains__(self, name: object) -> bool:
        return name in self.there

    def matching(self, patterns: Sequence[RunPattern]) -> list[Run]:
        """The runs that the patterns stand for. Raises NotRun where one of them is absent."""
        return [self[name] for name in matching(patterns, [*self.there, *self.absent])]
