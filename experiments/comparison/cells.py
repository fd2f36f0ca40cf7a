"""The columns of a comparison, as text for tables and as values for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from experiments.comparison.groups import Group
from experiments.comparison.ranking import RANKINGS, best_validation, last_validation
from experiments.comparison.table import Comparison, Line, interval_of
from experiments.config.flat import shown_value
from experiments.reporting.seed_losses import ends, in_short, with_ends
from experiments.runs.floor_noise import floor_variances, noise_bands
from experiments.runs.onset import AXES
from experiments.statistics.intervals import Interval

PARTS = {  # of a mixture, by the name in a row of comparison.csv
    "share_below_middle": "share",
    "loss_below_middle": "learned",
    "loss_above_middle": "others",
}
UNITS = {"updates": "updates", "time_steps": "time steps", "seconds": "seconds"}


class Column(NamedTuple):
    """A column of a table."""

    title: str
    cell: Callable[[Line], str]
    is_short: bool  # whether the first table shows it, and the terminal, Markdown and LaTeX


def columns(compared: Comparison) -> list[Column]:
    """All columns, without those that would be empty."""
    found = [*_key_columns(compared), Column("seeds", _seeds, True)]
    found.append(Column(compared.ranking.title, lambda line: shown(line.mean), True))
    title = "below the best" if compared.ranking.higher_is_better else "above the best"
    found.append(Column(title, lambda line: _with_sign(line.behind), True))
    found.append(Column("standing", lambda line: line.standing, True))
    found += _lag_columns(compared)
    found += _target_columns(compared)
    found += _more_columns(compared)
    found.append(Column("at the floor", lambda line: _floor(line, compared), False))
    found.append(Column("seconds a seed", lambda line: _seconds(line.group), False))
    always = len(_key_columns(compared)) + 1
    return [
        column
        for place, column in enumerate(found)
        if place < always or any(map(column.cell, compared.lines))
    ]


def short_columns(compared: Comparison) -> list[Column]:
    """The columns that answer the question, on the terminal too."""
    return [column for column in columns(compared) if column.is_short]


def detail_columns(compared: Comparison) -> list[Column]:
    """The columns of the report's second table: the names of the groups, and what is not short."""
    found = columns(compared)
    names = found[: len(_key_columns(compared))]
    return [*names, *(column for column in found if not column.is_short)]


def shown(interval: Interval | None, sign: str = "", digits: str = ".4f") -> str:
    """ "0.4100 ± 0.0127": a mean and half of its interval; both ends if it is not symmetric."""
    if interval is None:
        return ""
    mean, low, high = interval
    if low is None or high is None:
        return f"{mean:{sign}{digits}}"
    if abs((high - mean) - (mean - low)) > 1e-9 * max(1, abs(high)):
        return f"{mean:{sign}{digits}} ({low:{sign}{digits}} to {high:{sign}{digits}})"
    return f"{mean:{sign}{digits}} ± {(high - low) / 2:{digits}}"


def record(line: Line, compared: Comparison) -> dict[str, Any]:
    """A row of comparison.csv, where None is empty, and an object of the JSON."""
    group = line.group
    found: dict[str, Any] = {key: _plain(value) for key, value in group.values.items()}
    if not found:
        found["experiment"] = group.label
    found |= {"status": group.status, "seeds": len(group.finals), "planned_seeds": group.planned}
    found |= _interval("final_loss", interval_of(group, group.final_losses), ("low", "high"))
    found["final_loss_updates"] = _updates(group)
    for name, values in (
        ("fresh_loss", group.fresh_losses),
        ("best_validation_loss", best_validation(group)),
        ("last_validation_loss", last_validation(group)),
    ):
        found |= _interval(name, interval_of(group, values))
    found["ranked_by"] = compared.ranking.by
    if compared.ranking.by not in RANKINGS:
        found |= _interval(compared.ranking.by, line.mean)
    found |= _details(line)
    found |= _interval("above_best", line.behind)
    found |= {"standing": line.standing or None, "seeds_needed": line.seeds_needed}
    found |= {f"learned_lag_{lag}": count for lag, (count, _) in group.learned.items()}
    found |= _target_record(line, compared)
    seconds = group.seconds_a_seed
    found["seconds_a_seed"] = None if seconds is None else round(seconds, 3)
    found["run_directories"] = [str(run.directory.path) for run in group.runs]
    return found


def _details(line: Line) -> dict[str, Any]:
    """What stands beside the ranked mean, and its two modes if there are two."""
    bootstrap = line.found.bootstrap if line.found else None
    modes = line.found.modes if line.found else None
    _, low, high = bootstrap or (None, None, None)
    found: dict[str, Any] = {"bootstrap_low": low, "bootstrap_high": high}
    found |= _interval("interquartile_mean", line.found.interquartile if line.found else None)
    found["middle_of_floors"] = modes.threshold if modes else None
    found["seeds_below_middle"] = modes.below if modes else None
    for name, part in PARTS.items():
        found |= _interval(name, getattr(modes.parts, part) if modes else None)
    return found


def _target_record(line: Line, compared: Comparison) -> dict[str, Any]:
    if compared.target is None:
        return {}
    reached = compared.reached.get(line.group.label)
    found: dict[str, Any] = {
        "target": compared.target.name,
        "reached": reached.seeds if reached else None,
    }
    for axis in AXES:
        found |= _interval(f"{axis}_to_target", reached.means.get(axis) if reached else None)
    return found


def _interval(
    name: str, interval: Interval | None, ends: Sequence[str] | None = None
) -> dict[str, float | None]:
    """A mean and the ends of its interval, by column name."""
    names = [name, *(ends or (f"{name}_low", f"{name}_high"))]
    return dict(zip(names, interval or (None, None, None), strict=True))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else shown_value(value)


def _key_columns(compared: Comparison) -> list[Column]:
    if not compared.keys:
        return [Column("experiment", lambda line: line.group.label, True)]

    def of(key: str) -> Callable[[Line], str]:
        return lambda line: shown_value(line.group.values[key])

    return [Column(key, of(key), True) for key in compared.keys]


def _more_columns(compared: Comparison) -> Iterator[Column]:
    """More about the ranked numbers, then the other losses."""
    by = compared.ranking.by
    yield Column("bootstrap", lambda line: ends(line.found and line.found.bootstrap), False)
    yield Column(
        "interquartile mean",
        lambda line: with_ends(line.found and line.found.interquartile),
        False,
    )
    yield Column(
        "either side of the middle",
        lambda line: in_short(line.found.modes) if line.found else "",
        False,
    )
    if any(line.group.validation_rows for line in compared.lines):
        if by != "valid":
            yield _loss(RANKINGS["valid"].title, best_validation)
        yield _loss("last validation loss", last_validation)
    if by != "fresh":
        yield _loss(RANKINGS["fresh"].title, lambda group: group.fresh_losses)
    if by != "train":
        yield _loss(RANKINGS["train"].title, lambda group: group.final_losses)
    yield Column("updates in the final loss", lambda line: _updates_text(line.group), False)


def _loss(title: str, values: Callable[[Group], dict[int, float]]) -> Column:
    return Column(title, lambda line: shown(interval_of(line.group, values(line.group))), False)


def _lag_columns(compared: Comparison) -> list[Column]:
    lags = sorted({lag for line in compared.lines for lag in line.group.learned})

    def of(lag: int) -> Callable[[Line], str]:
        return lambda line: "/".join(map(str, line.group.learned.get(lag, ())))

    return [Column(f"learned lag {lag}", of(lag), True) for lag in lags]


def _target_columns(compared: Comparison) -> Iterator[Column]:
    if compared.target is None:
        return
    reached, name = compared.reached, compared.target.name

    def count(line: Line) -> str:
        found = reached.get(line.group.label)
        return f"{found.seeds}/{found.total}" if found else ""

    yield Column(f"reached {name}", count, True)
    for axis in AXES:

        def until(line: Line, axis: Any = axis) -> str:
            found = reached.get(line.group.label)
            digits = ".1f" if axis == "seconds" else ",.0f"
            return shown(found.means.get(axis), digits=digits) if found else ""

        yield Column(f"{UNITS[axis]} to {name}", until, axis == "updates")


def _seeds(line: Line) -> str:
    """The number of complete seeds: "3", or "2 of 3 (diverged)"."""
    done, planned = len(line.group.finals), line.group.planned
    return str(done) if done == planned else f"{done} of {planned} ({line.group.status})"


def _seconds(group: Group) -> str:
    return "" if group.seconds_a_seed is None else f"{group.seconds_a_seed:.1f}"


def _updates(group: Group) -> int | None:
    """The number of updates in a final loss, the least over the seeds."""
    return min((final.updates for final in group.finals.values()), default=None)


def _updates_text(group: Group) -> str:
    """The updates in the final loss; "1,000 (rows)" if they are not exactly the last tenth."""
    updates = _updates(group)
    if updates is None:
        return ""
    exact = all(final.is_last_tenth for final in group.finals.values())
    return f"{updates:,}" if exact else f"{updates:,} (rows)"


def _with_sign(interval: Interval | None) -> str:
    return shown(interval, "+")


def _floor(line: Line, compared: Comparison) -> str:
    """The floor whose band of sampling noise contains the ranked loss; empty if there is none."""
    group = line.group
    symbols = _symbols(group, compared.ranking.by)
    if line.mean is None or not symbols:
        return ""
    bands = noise_bands(group.floors, floor_variances(group.runs[0].config), symbols)
    near = [
        (abs(line.mean.mean - band.mean), name)
        for name, band in bands.items()
        if band.low is not None and band.high is not None
        if band.low <= line.mean.mean <= band.high
    ]
    return min(near)[1] if near else ""


def _symbols(group: Group, by: str) -> int:
    """The number of symbols in the ranked loss, over all seeds; 0 if unknown."""
    config = group.runs[0].config
    if by == "train":
        updates = sum(final.updates for final in group.finals.values())
        return updates * config.graph.num_steps * config.graph.batch_size
    return group.fresh_time_steps if by == "fresh" else 0
