"""Every criterion and figure by its name in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import isabstract
from pkgutil import walk_packages
from typing import TypeVar

from experiments.config.catalog import nearest
from experiments.config.compose import validate
from experiments.errors import UsageError
from experiments.studies import subjects
from experiments.studies.entries import Criterion, Entry, StudyFigure

E = TypeVar("E", bound=Entry)


def _defined() -> Iterator[type[Entry]]:
    """The classes of subjects/ that YAML may name."""
    for file in walk_packages(subjects.__path__, f"{subjects.__name__}."):
        for value in vars(import_module(file.name)).values():
            if isinstance(value, type) and issubclass(value, Entry) and not isabstract(value):
                yield value


CRITERIA = {each.kind(): each for each in _defined() if issubclass(each, Criterion)}
FIGURES = {each.kind(): each for each in _defined() if issubclass(each, StudyFigure)}


def make_criterion(name: object, arguments: object) -> Criterion:
    """The criterion of this name. Raises ValueError, in one line, where there is none."""
    return _make(CRITERIA, "criterion", name, arguments)


def make_figure(name: object, arguments: object) -> StudyFigure:
    """The figure of this name. Raises ValueError, in one line, where there is none."""
    return _make(FIGURES, "kind", name, arguments)


def _make(kinds: Mapping[str, type[E]], key: str, name: object, arguments: object) -> E:
    if not isinstance(name, str) or name not in kinds:
        close = nearest(str(name), kinds)
        raise ValueError(
            f"{key}: not known: {name}{close}" if close
            else f"{key}: expected one of {', '.join(kinds)}; got {name}"
        )  # fmt: skip
    if not isinstance(arguments, dict):
        raise ValueError(f"arguments: expected a mapping, got {type(arguments).__name__}")
    try:
        entry: E = validate(kinds[name], arguments, f"arguments of {name}")
    except UsageError as error:
        raise ValueError(str(error)) from error
    return entry
