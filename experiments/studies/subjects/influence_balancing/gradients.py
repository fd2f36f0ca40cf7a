"""Claims on the gradients of influence balancing: size, sign and bias."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding
from experiments.statistics import equivalence, estimates
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion
from experiments.studies.findings import exact, judged, percent
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.influence_balancing.influence import (
    StyleName,
    exact_influence,
    measured_influence,
    style_and_window,
)
from rnn_graphs.config import TruncationConfig

ROWS = 4000  # of random gates at a time
DRAWS = 40  # of so many rows
ROUNDING = 1e-9  # of a gradient in float64


class LongRun(Criterion):
    """The influence of θ in the long run, by the gradient of one loss at a great depth."""

    depth: int = Field(ge=1)
    expected: float

    def expectation(self) -> float:
        return self.expected

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        found = measured_influence(*style_and_window("bptt", self.depth))
        note = f"gradient of BPTT({self.depth}; 1) / (s_1 − 1)"
        return exact(found, abs(found - self.expected) < ROUNDING, note)


class Turns(Criterion):
    """A style has the wrong sign at one depth and the right one at another, as algebra says."""

    style: StyleName
    wrong: int = Field(ge=1)
    right: int = Field(ge=1)

    def expectation(self) -> str:
        return f"wrong at {self.wrong}, right at {self.right}"

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        depths = (self.wrong, self.right)
        found = np.array(
            [measured_influence(*style_and_window(self.style, depth)) for depth in depths]
        )
        by_algebra = exact_influence(self.style, depths)
        agrees = bool(np.allclose(found, by_algebra, rtol=0, atol=ROUNDING))
        text = f"{found[0]:+.4f} at {self.wrong}, {found[1]:+.4f} at {self.right}"
        note = f"influence seen; by algebra {by_algebra[0]:+.6f} and {by_algebra[1]:+.6f}"
        return exact(text, bool(found[0] > 0 > found[1]) and agrees, note)


class Unbiased(Criterion):
    """The mean of ARTBP over random cuts equals the window's full gradient, within a margin.

    The margin is a share of the full gradient.
    """

    cut_probability: float = Field(gt=0, lt=1)
    num_steps: int = Field(ge=1)
    margin: float = Field(default=0.1, gt=0, lt=1)

    def expectation(self) -> str:
        return f"the full gradient ± {percent(self.margin)}"

    def decide(self, _runs: StudyRuns, level: float = LEVEL) -> Finding:
        artbp = TruncationConfig(kind="artbp", cut_probability=self.cut_probability)
        draws = [measured_influence(artbp, self.num_steps, ROWS, key) for key in range(DRAWS)]
        full = measured_influence(TruncationConfig(kind="full"), self.num_steps)
        return self.judge(draws, full, level)

    def judge(self, draws: Sequence[float], full: float, level: float = LEVEL) -> Finding:
        """The finding of the means of DRAWS times ROWS cuts against the full gradient."""
        margin = self.margin * abs(full)
        judgement = equivalence.within(estimates.mean(draws), margin, full, level)
        note = (
            f"mean of {ROWS * DRAWS} draws, {percent(judgement.confidence)} interval; the full "
            f"gradient is {full:.4f}, its margin {margin:.4f}"
        )
        return judged(judgement, 0, note)
