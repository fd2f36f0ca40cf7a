"""A comparison in numbers: one line for each group, and its standing against the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from experiments.comparison.groups import Group, tasks_of
from experiments.comparison.ranking import LOSSES, Ranking
from experiments.comparison.targets import Reached, Target, reach
from experiments.statistics.best import above_best, count_pairs, lowest_mean
from experiments.statistics.intervals import Interval
from experiments.statistics.over_seeds import SeedLosses, mean_over_seeds, seed_losses
from experiments.statistics.paired import difference
from experiments.statistics.planning import seeds_needed
from experiments.statistics.verdicts import LEVEL

Standing = Literal["best", "tied", "one seed", "worse", ""]


class Line(NamedTuple):
    """The numbers of one group."""

    group: Group
    task: int  # which of the compared tasks, from 0
    ranked: Mapping[int, float]  # the ranked numbers, by seed
    found: SeedLosses | None  # intervals of the ranked numbers; None if no seed is complete
    behind: Interval | None  # the difference from the best of the task, simultaneous
    standing: Standing  # "": no number, or no other group; "one seed": it or the best has no spread
    seeds_needed: int | None  # seeds that would separate a tie from the best; None: unknown

    @property
    def mean(self) -> Interval | None:
        """The mean of the ranked numbers; None if no seed is complete."""
        return self.found.mean if self.found else None

    @property
    def is_at_the_top(self) -> bool:
        """Whether the group is the best or indistinguishable from it."""
        return self.standing in ("best", "tied")


class Comparison(NamedTuple):
    """The content of the table and the figures."""

    lines: Sequence[Line]  # by task, from best to worst
    ranking: Ranking
    target: Target | None
    reached: Mapping[str, Reached]  # by the group's label; empty without a target

    @property
    def keys(self) -> list[str]:
        """The config keys that differ."""
        return list(self.lines[0].group.values)

    @property
    def groups(self) -> list[Group]:
        """The groups, in the order of the lines."""
        return [line.group for line in self.lines]

    @property
    def tasks(self) -> list[list[Line]]:
        """The lines by task."""
        return [
            [line for line in self.lines if line.task == task]
            for task in sorted({line.task for line in self.lines})
        ]


def compare_groups(
    groups: Sequence[Group], ranking: Ranking, target: Target | None = None
) -> Comparison:
    """Rank the groups of each task. Losses of different tasks are not compared."""
    lines = [
        line
        for task, members in enumerate(tasks_of(groups))
        for line in _rank(members, task, ranking)
    ]
    reached = {group.label: reach(group, target) for group in groups if target and group.rows}
    return Comparison(lines, ranking, target, reached)


def interval_of(group: Group, values: Mapping[int, float]) -> Interval | None:
    """The mean of a group's losses with its 95 % interval; None without values."""
    return mean_over_seeds([*values.values()], group.floors) if values else None


def _rank(groups: Sequence[Group], task: int, ranking: Ranking) -> list[Line]:
    """The groups of one task from best to worst; those without a number come last.

    The best is a group whose seeds are all complete, if there is one. Incomplete seeds are left out
    of a mean, which may make a group look too good.
    """
    values = {group.label: ranking.values(group) for group in groups}
    signed = {
        label: {seed: ranking.sign * value for seed, value in found.items()}
        for label, found in values.items()
        if found
    }
    complete = {g.label: signed[g.label] for g in groups if g.is_complete and g.label in signed}
    best = lowest_mean(complete or signed) if len(signed) > 1 else None
    compared = above_best(signed, best=best) if best else {}
    lines = []
    for group in groups:
        label, behind = group.label, compared.get(group.label)
        standing: Standing = "best" if label == best else ""
        if behind and best:
            has_spread = min(len(values[label]), len(values[best])) > 1
            standing = "worse" if not behind.is_tied else "tied" if has_spread else "one seed"
        needed = _seeds_needed(label, best, signed) if best and standing == "tied" else None
        shown = behind.interval if behind else None
        floors = group.floors if ranking.by in LOSSES else {}
        ours = [*values[label].values()]
        found = seed_losses(ours, floors, ranking.highest) if ours else None
        lines.append(Line(group, task, values[label], found, shown, standing, needed))
    return sorted(lines, key=lambda line: _sort_key(line, ranking.sign))


def _sort_key(line: Line, sign: int) -> tuple[bool, float]:
    return line.mean is None, sign * line.mean.mean if line.mean else 0.0


def _seeds_needed(label: str, best: str, signed: Mapping[str, Mapping[int, float]]) -> int | None:
    """The seeds of both groups that would separate them, at the level corrected for all pairs."""
    estimate = difference(signed[label], signed[best])
    count = min(len(signed[label]), len(signed[best]))
    return seeds_needed(estimate, count, level=LEVEL / count_pairs(signed))
