"""Criteria and figures: what a study's YAML may name. To add one is to add one class.

The name in YAML is that of the class in snake case, its `arguments` are the fields:

    class FinalLoss(Criterion):          criterion: final_loss
        run: RunName                     arguments: {run: n5, expected: 0.52, tolerance: 0.005}
        expected: float
        tolerance: float
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.statistics.verdicts import LEVEL
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import RunName, StudyRuns, matching, names_in
from rnn_graphs.config import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.reporting.chart import Chart

Planned = Mapping[str, PlannedRun]


class Entry(Section):
    """A class that YAML names, with its typed arguments."""

    @classmethod
    def kind(cls) -> str:
        """The name in YAML."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

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
    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        """The finding of these runs: a wrong verdict has at most the chance `level`.

        Raises NotRun where they lack what it needs.
        """

    def find(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        """What `decide` finds. Raises NotRun, which names the runs, of numbers that are none."""
        found = self.decide(runs, level)
        if found.p is not None and math.isnan(found.p):
            names = matching([*names_in(self)], runs.there)
            noun = "run" if len(names) == 1 else "runs"
            raise NotRun(f"{noun} {', '.join(names)}: a number is not finite")
        return found


class AgainstRun(Criterion):
    """A claim about one run against another."""

    run: RunName
    against: RunName

    @model_validator(mode="after")
    def _two_runs(self) -> Self:
        if self.run == self.against:
            raise ValueError(f"against: expected another run than {self.run}")
        return self


class StudyFigure(Entry):
    """A picture of a study's runs."""

    @abstractmethod
    def draw(self, title: str, runs: StudyRuns) -> Figure:
        """The picture. Raises NotRun where a run that it needs is absent."""

    def chart(self, _runs: StudyRuns) -> Chart | None:
        """The same for a reader to explore in the report; None for a picture alone."""
        return None
