"""Criteria and figures: what a study's YAML may name. To add one is to add one class.

The name in YAML is that of the class in snake case, its `arguments` are the fields:

    class FinalLoss(Criterion):          criterion: final_loss
        run: RunName                     arguments: {run: n5, expected: 0.52, tolerance: 0.005}
        expected: float
        tolerance: float
"""

from __future__ import annotations

import inspect
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from experiments.config.catalog import nearest
from experiments.config.compose import validate
from experiments.errors import UsageError
from experiments.reporting.claims import Finding
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import StudyRuns
from rnn_graphs.config import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Planned = Mapping[str, PlannedRun]


class Entry(Section):
    """A class that YAML names, with its typed arguments."""

    @classmethod
    def kind(cls) -> str:
        """The name in YAML."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def kinds(cls) -> dict[str, type[Self]]:
        """Every class below this one that can be made, by its name in YAML."""
        found: dict[str, type[Self]] = {}
        for below in cls.__subclasses__():
            if not inspect.isabstract(below):
                found[below.kind()] = below
            found |= below.kinds()
        return found

    @classmethod
    def from_yaml(cls, key: str, kind: object, arguments: object) -> Self:
        """The entry that `key` names. Raises ValueError, in one line, where there is none."""
        kinds = cls.kinds()
        if not isinstance(kind, str) or kind not in kinds:
            known = ", ".join(sorted(kinds))
            close = nearest(str(kind), kinds)
            raise ValueError(f"{key}: expected one of {known}; got {kind}{close}")
        try:
            entry: Self = validate(kinds[kind], arguments, f"arguments of {kind}")
        except UsageError as error:
            raise ValueError(str(error)) from error
        return entry

    def check(self, planned: Planned) -> None:
        """See that the runs will have what this asks of them, before any is trained.

        Raises ValueError. The names of runs are already checked.
        """


class Criterion(Entry):
    """The rule that decides a claim."""

    @abstractmethod
    def expectation(self) -> float | str:
        """The number, or the limits in words, that decide; made from the fields alone."""

    @abstractmethod
    def decide(self, runs: StudyRuns) -> Finding:
        """The finding of these runs. Raises NotRun where they lack what it needs."""


class StudyFigure(Entry):
    """A picture of a study's runs."""

    @abstractmethod
    def draw(self, title: str, runs: StudyRuns) -> Figure:
        """The picture. Raises NotRun where a run that it needs is absent."""


def content_of(raw: Mapping[str, Any], key: str, kinds: type[Entry]) -> dict[str, Any]:
    """A YAML mapping with `key` and `arguments`, which become the entry under `key`."""
    content = dict(raw)
    if key in content and not isinstance(content[key], Entry):
        arguments = content.pop("arguments", {})
        content[key] = kinds.from_yaml(key, content[key], arguments)
    return content
