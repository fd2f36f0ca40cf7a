"""The gradient of a loss that counts padding, beside that of one that masks it."""

from __future__ import annotations

from pydantic import Field

from experiments.config.schema import Config
from experiments.reporting.claims import Finding
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunName, StudyRuns


class GradientApart(Criterion):
    """The gradients ĝ of `run` and g of `against` lie apart at first weights: ‖ĝ − g‖ / ‖g‖.

    They are those of the first batch of each seed, without dropout.
    """

    run: RunName
    against: RunName
    at_least: float = Field(gt=0)

    def expectation(self) -> str:
        return f"at least {self.at_least:g}"

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        ours, theirs = runs[self.run].config, runs[self.against].config
        errors = [relative_error(ours, theirs, seed) for seed in theirs.seeds]
        estimate = estimates.mean(errors)
        judgement = verdicts.above(estimate, self.at_least, level=level)
        note = (
            "relative error of the gradient of the first batch, "
            f"{percent(judgement.confidence)} interval of the mean over seeds"
        )
        return judged(judgement, len(errors), note)


def relative_error(config: Config, exact: Config, seed: int) -> float:
    """‖ĝ − g‖ / ‖g‖ of the two configs' losses, at the same weights and examples."""
    from experiments.gradients.error import compare
    from experiments.gradients.first import first_gradient  # imports TensorFlow

    return compare(first_gradient(config, seed), first_gradient(exact, seed)).relative_error
