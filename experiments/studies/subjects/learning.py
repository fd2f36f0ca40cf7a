"""Criteria on learning: what a probe finds, and when each seed learned.

A probe says which lags a trained model uses. The onset is the first row at which a seed's
loss is below the middle of its floors.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.runs.onset import Axis
from experiments.runs.run import Run
from experiments.statistics import censored, paired
from experiments.statistics.censored import Seen
from experiments.statistics.parts import Judge, all_of
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import AgainstRun, Criterion, Planned
from experiments.studies.findings import (
    HALF,
    at_least,
    at_most,
    exact_and_wilson,
    judged,
    percent,
    shown_of,
)
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching


class Learners(NamedTuple):
    """The seeds of a run, and those whose probe shows a lag learned."""

    learned: int
    seeds: int

    @property
    def share(self) -> float:
        """The share of the seeds that learned the lag."""
        return self.learned / self.seeds


def learners(run: Run, lag: int) -> Learners:
    """The seeds of a run that learned a lag. Raises NotRun where no probe asked for it."""
    probes = run.summary.get("probe") or []
    asked = {effect["lag"] for probe in probes for effect in probe.get("effects", [])}
    if lag not in asked:
        raise NotRun(f"run {run.label}: no probe of lag {lag}")
    return Learners(len(run.learned_seeds(lag)), len(probes))


class Learned(Criterion):
    """By the probe, most seeds learned each of `lags` and most did not learn each of `others`."""

    run: RunName
    lags: tuple[int, ...]
    others: tuple[int, ...]
    least_share: float = Field(default=HALF, gt=0, lt=1)

    @model_validator(mode="after")
    def _each_lag_once(self) -> Self:
        named = [*self.lags, *self.others]
        if not named:
            raise ValueError("lags, others: expected at least one lag")
        for lag in named:
            if named.count(lag) > 1:
                raise ValueError(f"lags, others: lag {lag} is there {named.count(lag)} times")
        return self

    def expectation(self) -> str:
        parts = [f"lag {lag}" for lag in self.lags] + [f"not lag {lag}" for lag in self.others]
        return f"{', '.join(parts)} in ≥ {self.least_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_lags([*self.lags, *self.others])

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        run = runs[self.run]
        found = {lag: learners(run, lag) for lag in sorted([*self.lags, *self.others])}
        agreeing = [
            one.learned if lag in self.lags else one.seeds - one.learned
            for lag, one in found.items()
        ]
        seeds = len(run.summary["probe"])
        least = min(agreeing)
        text = "; ".join(f"lag {lag} by {one.learned} of {one.seeds}" for lag, one in found.items())
        parts = [at_least(count, seeds, self.least_share) for count in agreeing]
        shown, how = shown_of(at_least(least, seeds, self.least_share), parts, level)
        note = (
            "seeds whose probe shows it learned; low to high: "
            f"{exact_and_wilson(least, seeds, shown)} as claimed"
        )
        if len(agreeing) > 1:
            note += f", the least of these shares{how}"
        verdict = all_of(parts)(level)._replace(interval=shown.interval)
        return judged(verdict, seeds, note, text)


class DepthNeeded(Criterion):
    """From effective depth `depth` on, most seeds of these runs learn the lag; below it few do.

    Every run of the next shorter depth must have been too short.
    """

    names: tuple[RunPattern, ...] = Field(min_length=1)
    lag: int = Field(ge=0)
    depth: int = Field(ge=1)
    least_share: float = Field(default=HALF, gt=0, lt=1)

    def expectation(self) -> str:
        return f"depth {self.depth} for ≥ {self.least_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        chosen = [planned[name] for name in matching(self.names, planned)]
        for run in chosen:
            run.need_lags([self.lag])
        depths = sorted({run.effective_depth for run in chosen})
        if self.depth not in depths[1:]:
            known = ", ".join(map(str, depths))
            raise ValueError(
                f"depth: expected one of the runs' depths {known}, not the least; got {self.depth}"
            )

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        chosen = sorted(runs.matching(self.names), key=lambda run: run.effective_depth)
        counts = [(run.effective_depth, learners(run, self.lag)) for run in chosen]
        few = {depth for depth, one in counts if one.share < self.least_share}
        depths = sorted({depth for depth, _ in counts})
        enough = list(itertools.takewhile(lambda depth: depth not in few, reversed(depths)))
        too_short = depths[: len(depths) - len(enough)]
        needed = enough[-1] if enough else None
        low = too_short[-1] if enough and too_short else None
        tried = "; ".join(f"{depth}: {one.learned} of {one.seeds}" for depth, one in counts)
        note = f"seeds that learned, by depth: {tried}; low is the next shorter depth"
        value = f"depth {needed}" if enough else "none of these"
        judgement = self._judge(counts)(level)
        seeds, p = counts[0][1].seeds, judgement.p
        return Finding(value, low, needed, seeds, judgement.verdict, note, p)

    def _judge(self, counts: Sequence[tuple[int, Learners]]) -> Judge:
        shorter = [depth for depth, _ in counts if depth < self.depth]
        if not shorter:
            raise NotRun(f"no run shorter than depth {self.depth}")
        next_shorter = max(shorter)
        long = [at_least(*one, self.least_share) for at, one in counts if at >= self.depth]
        short = [at_most(*one, self.least_share) for at, one in counts if at == next_shorter]
        return all_of([*long, *short])


class OnsetRatio(AgainstRun):
    """How much later `run` learns than `against`: the ratio of onsets, seed by seed.

    If every seed learned, the mean of the log ratios is judged. A seed that did not learn would
    have done so after its last row, if at all; the mean is unknown then, and the median is judged.
    """

    axis: Axis

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            planned[name].need_onset()
        ours, theirs = (planned[name].config.seeds for name in (self.run, self.against))
        if not {*ours} & {*theirs}:
            raise ValueError(
                f"expected a seed that both runs have; {self.run} has {_range(ours)}, "
                f"{self.against} {_range(theirs)}"
            )

    @abstractmethod
    def ratio(self, ours: Mapping[int, Seen], theirs: Mapping[int, Seen]) -> Judge:
        """The judge of the claim on the ratio of the onsets, by seed."""

    @property
    @abstractmethod
    def learning(self) -> tuple[RunName, ...]:
        """The runs of which at least half of the seeds must learn."""

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        onsets = self.onsets(runs)
        ratio = self.ratio(*onsets)
        parts = [ratio, *(most_learned(runs[name]) for name in self.learning)]
        judgement = all_of(parts)(level)
        shown, how = shown_of(ratio, parts, level)
        note = self.note(runs, f"{percent(shown.confidence)} interval{how}")
        pairs = len(paired.shared_seeds(*onsets))
        return judged(judgement._replace(interval=shown.interval), pairs, note)

    def onsets(self, runs: StudyRuns) -> tuple[dict[int, Seen], dict[int, Seen]]:
        """The onsets of both runs along the axis, by seed. Raises NotRun if they share none."""
        ours, theirs = (
            {seed: Seen(getattr(at, self.axis), at.learned) for seed, at in run.onsets.items()}
            for run in (runs[self.run], runs[self.against])
        )
        if not paired.shared_seeds(ours, theirs):
            raise NotRun(f"runs {self.run} and {self.against}: no seed in common")
        return ours, theirs

    def note(self, runs: StudyRuns, interval: str) -> str:
        """How to read the ratio and its interval, with the medians of both runs."""
        pair = [runs[name] for name in (self.run, self.against)]
        medians = [np.median([getattr(o, self.axis) for o in r.onsets.values()]) for r in pair]
        ours, theirs = (f"{m:,.0f}" if m >= 10 else f"{m:.2g}" for m in medians)
        axis, names = self.axis.replace("_", " "), f"{self.run} / {self.against}"
        note = (
            f"{axis} until learned, {names}, pairs of seeds, {interval}; "
            f"medians {ours} and {theirs}"
        )
        late = [run for run in pair if not all_learned(run)]
        for run in late:
            count = sum(onset.learned for onset in run.onsets.values())
            note += f"; {count} of {len(run.onsets)} seeds of {run.label} learned"
        if late:
            note += "; the ratio is a median: a seed that did not learn is later than its last row"
        return note


def _range(seeds: range) -> str:
    return f"{seeds[0]} to {seeds[-1]}"


def all_learned(run: Run) -> bool:
    """Whether every seed has an onset."""
    return all(onset.learned for onset in run.onsets.values())


def most_learned(run: Run) -> Judge:
    """The judge of the claim that at least half of all possible seeds have an onset."""
    found = [onset.learned for onset in run.onsets.values()]
    return at_least(sum(found), len(found), HALF)


class LearnsSooner(OnsetRatio):
    """`run` learns sooner than `against`: the ratio is below 1, and half of its seeds learn."""

    def expectation(self) -> str:
        return "below 1"

    def ratio(self, ours: Mapping[int, Seen], theirs: Mapping[int, Seen]) -> Judge:
        return partial(censored.ratio_below, ours, theirs)

    @property
    def learning(self) -> tuple[RunName, ...]:
        return (self.run,)


class LearnsAsSoon(OnsetRatio):
    """Both learn as soon, within a factor, and half of the seeds of each learn."""

    factor: float = Field(gt=1)

    def expectation(self) -> str:
        return f"{1 / self.factor:.2g} to {self.factor:g}"

    def ratio(self, ours: Mapping[int, Seen], theirs: Mapping[int, Seen]) -> Judge:
        return partial(censored.ratio_within_factor, ours, theirs, self.factor)

    @property
    def learning(self) -> tuple[RunName, ...]:
        return (self.run, self.against)
