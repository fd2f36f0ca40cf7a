"""experiments/studies/registry.py: criteria and figures by their names in YAML."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pathlib import Path

import pytest

from experiments.studies import subjects
from experiments.studies.entries import Criterion, StudyFigure
from experiments.studies.registry import CRITERIA, FIGURES, make_criterion


def test_an_unknown_criterion_is_named_with_the_nearest() -> None:
    message = "criterion: not known: final_los; did you mean 'final_loss'"
    with pytest.raises(ValueError, match=message):
        make_criterion("final_los", {})


def test_no_base_that_criteria_or_figures_share_can_be_named() -> None:
    assert [name for name in (*CRITERIA, *FIGURES) if not name[0].isalpha()] == []


def test_every_file_that_defines_a_criterion_or_a_figure_is_read() -> None:
    for path in Path(subjects.__path__[0]).rglob("[a-z]*.py"):
        parts = path.relative_to(Path(subjects.__path__[0])).with_suffix("").parts
        module = import_module(".".join([subjects.__name__, *parts]))
        own = (each for each in vars(module).values() if is_entry(each, module.__name__))
        assert [each for each in own if each.kind() not in {**CRITERIA, **FIGURES}] == []


def is_entry(value: object, module: str) -> bool:
    """Whether it is a criterion or a figure of this module, and not a base of some."""
    if not (isinstance(value, type) and issubclass(value, Criterion | StudyFigure)):
        return False
    return value.__module__ == module and not isabstract(value)
