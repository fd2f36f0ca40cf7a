"""The horizon: the share of seeds that learned a lag, by cell, lag and effective depth.

The effective depth is num_steps in the TF style, depth in true truncation with context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.heat_map import Scale, draw_border, draw_heat_map
from experiments.reporting.style import draw_title_of_panels, new_figure
from experiments.runs.run import Run
from experiments.statistics.parts import Judge, all_of, any_of
from experiments.statistics.verdicts import LEVEL, Judgement
from experiments.studies.entries import Criterion, Planned, StudyFigure
from experiments.studies.findings import HALF, at_least, at_most, of_share
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import RunPattern, StudyRuns, matching
from experiments.studies.subjects.learning import Learners, learners

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HALVES, REACHED = "#D55E00", "#222222"  # colors of borders


class GridCell(NamedTuple):
    """One run of the grid, by what varies over it."""

    cell: str  # the recurrent cell
    lag: int
    effective_depth: int


CellAndLag = tuple[str, int]


def cell_of(run: Run | PlannedRun) -> GridCell:
    """The cell of the grid that a run with one lag is in."""
    (lag,) = run.config.task.dependency_lags
    return GridCell(run.config.model.cell, lag, run.effective_depth)


def learned_by_cell(runs: Iterable[Run]) -> dict[GridCell, Learners]:
    """The seeds that learned the one dependency of each run.

    Raises NotRun where two runs are one cell of the grid, as overrides can make them.
    """
    found: dict[GridCell, Learners] = {}
    for run in runs:
        grid_cell = cell_of(run)
        if grid_cell in found:
            cell, lag, depth = grid_cell
            raise NotRun(f"run {run.label}: another is of {cell} and lag {lag} at depth {depth}")
        found[grid_cell] = learners(run, grid_cell.lag)
    return found


def least_effective_depth(learned: Mapping[GridCell, Learners]) -> dict[CellAndLag, int | None]:
    """For each cell and lag, the least depth at which half of the seeds learned; None: at none."""
    needed: dict[CellAndLag, int | None] = {}
    for cell in sorted(learned):
        key = cell.cell, cell.lag
        if needed.setdefault(key, None) is None and learned[cell].share >= HALF:
            needed[key] = cell.effective_depth
    return needed


def need_one_lag(patterns: tuple[RunPattern, ...], planned: Planned) -> None:
    """See that each of the runs has a task of one lag. Raises ValueError."""
    for name in matching(patterns, planned):
        lags = planned[name].config.task.dependency_lags
        if len(lags) != 1:
            raise ValueError(f"run {name}: expected a task of one lag; it has {len(lags)}")


def need_one_run_each(names: Iterable[str], planned: Planned) -> None:
    """See that each of these runs, of one lag, has a cell of the grid alone. Raises ValueError."""
    there: dict[GridCell, str] = {}
    for name in names:
        grid_cell = cell_of(planned[name])
        if grid_cell in there:
            cell, lag, depth = grid_cell
            raise ValueError(
                f"names: expected one run of {cell} and lag {lag} at depth {depth}; "
                f"got {there[grid_cell]} and {name}"
            )
        there[grid_cell] = name


class NoneBeyondDepth(Criterion):
    """Where no error can reach the lag, few seeds or none learn it in any of the runs.

    A seed draws the same data and the same weights in several runs, which are therefore no
    independent trials. It counts once.
    """

    names: tuple[RunPattern, ...] = Field(min_length=1)
    most_share: float = Field(default=0.1, gt=0, lt=1)

    def expectation(self) -> str:
        return f"≤ {self.most_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        need_one_lag(self.names, planned)
        chosen = [planned[name] for name in matching(self.names, planned)]
        if not any(run.effective_depth <= run.config.task.dependency_lags[0] for run in chosen):
            raise ValueError("names: none of these runs has a depth of at most its lag")

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        chosen = [(run, run.config.task.dependency_lags[0]) for run in runs.matching(self.names)]
        short = [(run, lag) for run, lag in chosen if run.effective_depth <= lag]
        if not short:
            raise NotRun("no run has a depth of at most its lag")
        seeds = {seed for run, _ in short for seed in run.rows_by_seed}
        learned = {seed for run, lag in short for seed in run.learned_seeds(lag)}
        by_chance = [
            f"{run.config.model.cell} lag {lag} at {run.effective_depth}"
            for run, lag in short
            if run.learned_seeds(lag)
        ]
        note = f"seeds, in any of {len(short)} runs whose effective depth is at most the lag"
        if by_chance:
            note += f"; learned: {', '.join(by_chance)}"
        judgement = at_most(len(learned), len(seeds), self.most_share)(level)
        return of_share(len(learned), len(seeds), judgement, note)


class HalfLearnWithin(Criterion):
    """For each of these lags half of the seeds learn at a depth of at most factor · (lag + 1)."""

    names: tuple[RunPattern, ...] = Field(min_length=1)
    lags: tuple[int, ...] = Field(min_length=1)
    factor: float = Field(ge=1)

    def expectation(self) -> str:
        return "lag + 1" if self.factor == 1 else f"{self.factor:g} (lag + 1)"

    def check(self, planned: Planned) -> None:
        need_one_lag(self.names, planned)
        need_one_run_each(matching(self.names, planned), planned)
        cells = {cell_of(planned[name]) for name in matching(self.names, planned)}
        for lag in self.lags:
            if not any(cell.lag == lag for cell in cells):
                known = ", ".join(map(str, sorted({cell.lag for cell in cells})))
                raise ValueError(f"lags: expected lags of the runs, {known}; got {lag}")
        for key in sorted({cell[:2] for cell in cells if cell.lag in self.lags}):
            if not any(cell[:2] == key and self._is_short(cell) for cell in cells):
                raise ValueError(f"names: {self._none_short(*key)}")

    def _is_short(self, cell: GridCell) -> bool:
        """Whether a run's depth is within the claimed one."""
        return cell.effective_depth <= self.factor * (cell.lag + 1)

    def _none_short(self, cell: str, lag: int) -> str:
        """What is missing where no run of this cell and lag is short enough."""
        limit = self.factor * (lag + 1)
        return f"no run of {cell} and lag {lag} with a depth of at most {limit:g}"

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        learned = learned_by_cell(runs.matching(self.names))
        chosen = {cell: found for cell, found in learned.items() if cell.lag in self.lags}
        for lag in self.lags:
            if not any(cell.lag == lag for cell in chosen):
                raise NotRun(f"no run of lag {lag}")
        needed = least_effective_depth(chosen)
        several = len({cell for cell, _ in needed}) > 1
        value = "; ".join(
            f"{cell if several else ''} {lag}: {depth or 'none'}".strip()
            for (cell, lag), depth in needed.items()
        )
        seeds = sum(found.seeds for found in chosen.values())
        note = (
            "lag: the least depth of the grid at which half of the seeds learned it; "
            "decided by the exact test of each share"
        )
        judgement = all_of([self._learned_within(key, chosen) for key in needed])(level)
        return Finding(value, None, None, seeds, judgement.verdict, note, judgement.p)

    def _learned_within(
        self, cell_and_lag: CellAndLag, learned: Mapping[GridCell, Learners]
    ) -> Judge:
        """The judge of the claim that half learn at one of the depths that are short enough."""
        tried = [
            at_least(*found, HALF)
            for cell, found in learned.items()
            if cell[:2] == cell_and_lag and self._is_short(cell)
        ]
        if not tried:
            raise NotRun(self._none_short(*cell_and_lag))
        return any_of(tried)


class SameHorizon(Criterion):
    """For every cell and lag, half of the seeds learn from the same depth on in each style.

    It holds where the least depths are the same and every share beside them is decided. It
    fails where, at the same cell, lag and depth, half learn in one style and not in another.
    """

    names: tuple[RunPattern, ...] = Field(min_length=1)

    def expectation(self) -> str:
        return "all alike"

    def check(self, planned: Planned) -> None:
        need_one_lag(self.names, planned)
        styles: dict[str, list[str]] = {}
        for name in matching(self.names, planned):
            styles.setdefault(planned[name].config.truncation.kind, []).append(name)
        if len(styles) < 2:
            raise ValueError(f"names: expected runs of two styles; got {', '.join(styles)}")
        for names in styles.values():
            need_one_run_each(names, planned)
        cells = [{cell_of(planned[name]) for name in names} for names in styles.values()]
        if not set.intersection(*cells):
            raise ValueError(f"names: {_none_shared(styles)}")

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        chosen = runs.matching(self.names)
        kinds = sorted({run.config.truncation.kind for run in chosen})
        learned = {
            kind: learned_by_cell(run for run in chosen if run.config.truncation.kind == kind)
            for kind in kinds
        }
        needed = {kind: least_effective_depth(found) for kind, found in learned.items()}
        shared = set.intersection(*(set(found) for found in needed.values()))
        odd = [key for key in sorted(shared) if len({found[key] for found in needed.values()}) > 1]
        value = f"{len(shared) - len(odd)} of {len(shared)} alike"
        note = f"pairs of a cell and a lag; least depths at which half learned, {', '.join(needed)}"
        for cell, lag in odd:
            depths = " and ".join(str(found[cell, lag] or "none") for found in needed.values())
            note += f"; {cell} lag {lag}: {depths}"
        seeds = sum(len(run.final_losses) for run in chosen)
        judgement = _same_at_each(learned)(level)
        if judgement.verdict == "holds" and odd:  # at depths that not every style was run at
            judgement = judgement._replace(verdict="undecided", p=1.0)
        return Finding(value, None, None, seeds, judgement.verdict, note, judgement.p)


def _same_at_each(learned: Mapping[str, Mapping[GridCell, Learners]]) -> Judge:
    """The judge of the claim that the styles agree wherever all of them were run.

    Raises NotRun where no cell, lag and depth are shared.
    """
    shared = set.intersection(*(set(found) for found in learned.values()))
    if not shared:
        raise NotRun(_none_shared(learned))
    return all_of(
        [_agree([at_least(*found[cell], HALF) for found in learned.values()]) for cell in shared]
    )


def _none_shared(styles: Iterable[str]) -> str:
    return f"{' and '.join(styles)} have no cell, lag and depth in common"


def _agree(styles: Sequence[Judge]) -> Judge:
    """The judge of the claim that half learn in each style, or in none."""

    def judge(level: float) -> Judgement:
        # One wrong share among them is enough for a wrong "fails".
        each = [style(level / len(styles)) for style in styles]
        if {found.verdict for found in each} >= {"holds", "fails"}:
            worst = max((one for one in each if one.verdict != "undecided"), key=lambda one: one.p)
            return worst._replace(verdict="fails", p=len(styles) * worst.p)
        whole = [style(level) for style in styles]
        worst = max(whole, key=lambda one: one.p)
        if {found.verdict for found in whole} in ({"holds"}, {"fails"}):
            return worst._replace(verdict="holds")
        return worst._replace(verdict="undecided", p=1.0)

    return judge


class Horizon(StudyFigure):
    """The share of seeds that learned, by lag and by `against`, a panel for each cell."""

    names: tuple[RunPattern, ...] = Field(min_length=1)
    against: Literal["num_steps", "depth"]

    def check(self, planned: Planned) -> None:
        need_one_lag(self.names, planned)
        need_one_run_each(matching(self.names, planned), planned)
        for name in matching(self.names, planned):
            config = planned[name].config
            values = {"num_steps": config.graph.num_steps, "depth": config.truncation.depth}
            if values[self.against] != planned[name].effective_depth:
                raise ValueError(
                    f"against: errors of run {name} reach {planned[name].effective_depth} cell "
                    f"applications; its {self.against} is {values[self.against]}"
                )

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        learned = learned_by_cell(runs.matching(self.names))
        cells, lags, depths = (sorted(set(values)) for values in zip(*learned, strict=True))
        figure = new_figure(1.6 + 0.42 * len(lags))
        panels = figure.subplots(1, len(cells), sharey=True, squeeze=False)[0]
        for axes, cell in zip(panels, cells, strict=True):
            found = [[learned.get(GridCell(cell, lag, to)) for to in depths] for lag in lags]
            shares = np.array([[one.share if one else np.nan for one in row] for row in found])
            texts = [[f"{one.learned}/{one.seeds}" if one else "" for one in row] for row in found]
            draw_heat_map(axes, shares, lags, depths, texts, Scale("Blues", 0, 1))
            reached = np.subtract.outer(lags, depths) < 0
            draw_border(axes, np.where(np.isnan(shares), np.nan, shares >= HALF), HALVES)
            draw_border(axes, reached.astype(float), REACHED, ":")
            axes.set_title(cell, fontsize=10)
            axes.set_xlabel(self.against)
        panels[0].set_ylabel("lag")
        draw_title_of_panels(figure, title)
        return figure
