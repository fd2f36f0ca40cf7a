"""Criteria on single curves: how low they come, and whether they rise again.

Each row of a curve is a mean over some symbols, and has a standard error.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.statistics.verdicts import LEVEL, Judgement
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import HALF, at_least, of_share
from experiments.studies.runs import RunName, StudyRuns

SURE = 0.99  # the share of flat curves of which nothing is said that is not so
LATE_ROWS = 3  # fewer tell nothing of their noise
SIMULATED = 10_000  # flat curves
Losses = NDArray[np.float64]


class StaysAbove(Criterion):
    """In most seeds no row comes as low as a floor + `margin`."""

    run: RunName
    known: str
    margin: float
    least_share: float = Field(default=HALF, gt=0, lt=1)

    def expectation(self) -> str:
        sign = "+" if self.margin >= 0 else "−"
        limit = f"“{self.known}” {sign} {abs(self.margin):g}"
        return f"above {limit} in ≥ {self.least_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_floor(self.known)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        run = runs[self.run]
        lowest = np.nanmin(whole_rows(run), axis=1)
        limit = run.floors[self.known] + self.margin
        count, seeds = int((lowest > limit).sum()), len(lowest)
        note = (
            f"seeds that stay above {limit:.4f}; lowest row of each: {_range(lowest)}, "
            f"mean {lowest.mean():.4f}"
        )
        return of_share(count, seeds, at_least(count, seeds, self.least_share)(level), note)


class Rise(NamedTuple):
    """How much a curve rises over its lowest row before."""

    measured: float
    noise: float  # by how much the rows' noise may have changed it, either way

    @property
    def at_least(self) -> float:
        """The least rise that the true curve may have."""
        return self.measured - self.noise

    @property
    def at_most(self) -> float:
        """The greatest rise that the true curve may have."""
        return self.measured + self.noise


class DoesNotSettle(Criterion):
    """Within the second half of training the loss rises by `rise` again, in most seeds.

    The noise of its rows makes a frozen model's curve rise too. A seed counts as rising where the
    rise is greater than `rise` and that noise, and as settled where both together are less.
    """

    run: RunName
    rise: float = Field(gt=0)
    least_share: float = Field(default=HALF, gt=0, lt=1)

    def expectation(self) -> str:
        return f"rises ≥ {self.rise:g} in ≥ {self.least_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_late_rows(LATE_ROWS)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        rises = [largest_rise(losses) for losses in late_rows(runs[self.run])]
        seeds = len(rises)
        rising = sum(each.at_least >= self.rise for each in rises)
        open_ = sum(each.at_least < self.rise <= each.at_most for each in rises)
        measured = np.array([each.measured for each in rises])
        note = (
            f"seeds whose loss rises by {self.rise:g} beyond the noise of rows; {open_} may or "
            f"may not; measured rises {_range(measured)}, noise up to "
            f"{max(each.noise for each in rises):.4f}"
        )
        return of_share(rising, seeds, self._judge(rising, open_, seeds, level), note)

    def _judge(self, rising: int, open_: int, seeds: int, level: float) -> Judgement:
        """It holds without the open seeds, and fails even with them."""
        without, with_them = (
            at_least(count, seeds, self.least_share) for count in (rising, rising + open_)
        )
        if with_them(level).verdict == "fails":
            return with_them(level)
        if without(level).verdict == "holds":
            return without(level)
        return without(level)._replace(verdict="undecided", p=1.0)


def whole_rows(run: Run) -> Losses:
    """Each seed's rows, [seeds, rows], without a short one at the end, which is noisier.

    Raises NotRun where there is none.
    """
    whole = run.curves.losses[:, run.curves.updates % run.config.logging.every == 0]
    if not whole.shape[1]:
        raise NotRun(f"run {run.label}: no row of {run.config.logging.every} updates")
    return whole


def late_rows(run: Run) -> list[Losses]:
    """Each seed's rows of the second half of training, without a short one at the end.

    Raises NotRun where there are fewer than LATE_ROWS.
    """
    whole = whole_rows(run)
    late = whole[:, whole.shape[1] // 2 :]
    rows = [losses[~np.isnan(losses)] for losses in late]
    if min(map(len, rows)) < LATE_ROWS:
        raise NotRun(f"run {run.label}: fewer than {LATE_ROWS} rows in the second half of training")
    return rows


def largest_rise(losses: Losses) -> Rise:
    """The largest rise over the lowest row before, and what noise can do to it.

    Noise of rows changes any rise by at most its own range, greatest less least row: the
    range of flat curves with the same standard error of a row.
    """
    measured = float(np.max(losses - np.minimum.accumulate(losses)))
    return Rise(measured, flat_range(len(losses)) * float(row_error(losses)))


def row_error(losses: Losses) -> NDArray[np.float64]:
    """The standard error of a row, from the differences of neighbours: [..., rows] → [...].

    What training changes from row to row is in it too, so that it is rather too large. Source:
    von Neumann et al. 1941, "The mean square successive difference".
    """
    return np.asarray((np.diff(losses, axis=-1) ** 2).mean(-1) ** 0.5 / 2**0.5)


@cache
def flat_range(rows: int) -> float:
    """The range of a flat curve's rows in units of `row_error`: SURE of them have less."""
    noise = np.random.default_rng(0).standard_normal((SIMULATED, rows))
    return float(np.quantile(np.ptp(noise, axis=-1) / row_error(noise), SURE))


def _range(values: NDArray[np.float64]) -> str:
    return f"{values.min():.4f} to {values.max():.4f}"
