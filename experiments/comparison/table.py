"""A comparison in numbers: final losses, and how far each is from the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from experiments.comparison.groups import Group
from experiments.config.flat import shown_value
from experiments.statistics.intervals import Interval, difference_interval, mean_interval


class Line(NamedTuple):
    """One group in numbers; nats per time step."""

    group: Group
    loss: Interval | None  # None where no seed is complete
    above_best: Interval | None  # None also for the best itself


def compare_groups(groups: Sequence[Group]) -> list[Line]:
    """The groups from the lowest mean final loss up; those without one come last.

    The best is a group whose seeds are all complete, if there is one: incomplete seeds are left
    out of a mean, which may make a group look too good.
    """
    ended = sorted((group for group in groups if group.final_losses), key=_mean)
    best = next((group for group in ended if group.is_complete), ended[0] if ended else None)
    lines = [Line(group, mean_interval(_losses(group)), _above(group, best)) for group in ended]
    return lines + [Line(group, None, None) for group in groups if not group.final_losses]


def header(keys: Sequence[str]) -> list[str]:
    """The columns of comparison.csv."""
    return [
        *(keys or ["experiment"]), "status", "seeds", "planned_seeds", "final_loss", "low", "high",
        "above_best", "above_best_low", "above_best_high", "seconds", "run_directories",
    ]  # fmt: skip


def record(line: Line) -> list[Any]:
    """A row of comparison.csv; None is empty there."""
    group = line.group
    return [
        *_names(group), group.status, len(group.final_losses), group.planned,
        *_numbers(line.loss), *_numbers(line.above_best), f"{group.seconds:.3f}",
        " ".join(str(run.directory.path) for run in group.runs),
    ]  # fmt: skip


def columns(keys: Sequence[str]) -> list[str]:
    """The columns of the table for readers."""
    return [
        *(keys or ["experiment"]), "status", "seeds", "final loss",
        "above the best", "seconds",
    ]  # fmt: skip


def cells(line: Line) -> list[str]:
    """A row of the table for readers."""
    group = line.group
    done, planned = len(group.final_losses), group.planned
    above = line.above_best
    return [
        *_names(group), group.status, str(done) if done == planned else f"{done} of {planned}",
        _with_interval(line.loss, "") if line.loss else "",
        _with_interval(above, "+") if above else "best" if line.loss else "",
        f"{group.seconds:.1f}",
    ]  # fmt: skip


def _names(group: Group) -> list[str]:
    return [shown_value(value) for value in group.values.values()] or [group.label]


def _losses(group: Group) -> list[float]:
    return list(group.final_losses.values())


def _mean(group: Group) -> float:
    return mean_interval(_losses(group)).mean


def _above(group: Group, best: Group | None) -> Interval | None:
    if best is None or group is best:
        return None
    return difference_interval(_losses(group), _losses(best))


def _numbers(interval: Interval | None) -> Sequence[float | None]:
    """Mean, low and high; None is empty in the file."""
    return interval or (None, None, None)


def _with_interval(interval: Interval, sign: str) -> str:
    """ "0.4100 ± 0.0127": the mean and half of its interval, which is symmetric."""
    mean = f"{interval.mean:{sign}.4f}"
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} ± {(interval.high - interval.low) / 2:.4f}"
