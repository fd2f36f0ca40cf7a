"""Groups of runs that are equal but for their seeds, and the config keys that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from experiments.comparison.data import differing_data
from experiments.config.flat import flatten, shown_value
from experiments.runs.curves import Curves, curves, final_losses
from experiments.runs.metrics import MetricsRow
from experiments.runs.run import Run

# Runs that differ only in these have the same curve for the same seed.
IGNORED_KEYS = ("name", "description", "training.seeds", "training.first_seed")


class Group:
    """Runs of one config, as one run with the seeds of all."""

    def __init__(self, values: Mapping[str, Any], runs: Sequence[Run]) -> None:
        self.values = values  # of the keys in which the groups differ, by short name
        self.runs = runs

    @property
    def label(self) -> str:
        """The differing values, or the experiment's name if nothing differs."""
        return named(self.values) or self.runs[0].config.name

    @cached_property
    def rows(self) -> dict[int, list[MetricsRow]]:
        """Each seed's training rows, from the run that trained it longest.

        A seed that is in two runs counts once: the second is not independent evidence.
        """
        found: dict[int, list[MetricsRow]] = {}
        for run in self.runs:
            for seed, rows in run.rows_by_seed.items():
                if seed not in found or rows[-1].updates > found[seed][-1].updates:
                    found[seed] = rows
        return dict(sorted(found.items()))

    @cached_property
    def repeated(self) -> list[int]:
        """Seeds that are in more than one of the runs."""
        counts = Counter(seed for run in self.runs for seed in run.rows_by_seed)
        return sorted(seed for seed, count in counts.items() if count > 1)

    @cached_property
    def curves(self) -> Curves:
        """The training curves of all seeds."""
        return curves([row for rows in self.rows.values() for row in rows])

    @cached_property
    def final_losses(self) -> dict[int, float]:
        """Each complete seed's mean loss over the last tenth of training."""
        complete = set().union(*(run.complete_seeds for run in self.runs))
        rows = [row for seed in self.rows if seed in complete for row in self.rows[seed]]
        last = max((row.updates for row in rows), default=0)
        planned = max((run.summary.get("total_updates", 0) for run in self.runs), default=0)
        return final_losses(rows, planned or last)

    @property
    def planned(self) -> int:
        """The number of seeds that the runs' configs ask for."""
        return len(set().union(*(run.config.seeds for run in self.runs)))

    @property
    def status(self) -> str:
        """What the runs' summaries say; "2 complete, 1 failed" where they differ."""
        counts = Counter(run.status for run in self.runs)
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {status}" for status, count in counts.most_common())

    @property
    def is_complete(self) -> bool:
        """Whether every planned seed is complete."""
        return len(self.final_losses) == self.planned

    @property
    def floors(self) -> dict[str, float]:
        """The task's entropy floors, from the first run that has any."""
        return next((run.floors for run in self.runs if run.floors), {})

    @property
    def seconds(self) -> float:
        """Seconds of training, all seeds."""
        return sum(rows[-1].seconds for rows in self.rows.values())


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """The runs grouped by config, seeds aside, and sorted by their values."""
    configs = [
        flatten(run.config.as_dict()) | data
        for run, data in zip(runs, differing_data(runs), strict=True)
    ]
    keys = differing_keys(configs)
    names = short_names(keys, {key for config in configs for key in config})
    groups: dict[tuple[str, ...], tuple[dict[str, Any], list[Run]]] = {}
    for run, config in zip(runs, configs, strict=True):
        values = {names[key]: config.get(key) for key in keys}
        groups.setdefault(tuple(map(repr, values.values())), (values, []))[1].append(run)
    found = [Group(*group) for group in groups.values()]
    return sorted(found, key=lambda group: [sort_key(value) for value in group.values.values()])


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dotted keys whose values are not the same everywhere, sorted as in the configs."""
    keys = dict.fromkeys(key for config in configs for key in config)
    return [
        key
        for key in keys
        if key not in IGNORED_KEYS and any(c.get(key) != configs[0].get(key) for c in configs)
    ]


def short_names(keys: Sequence[str], known: set[str]) -> dict[str, str]:
    """Each key's shortest unambiguous ending: num_steps, optimizer.kind."""
    return {key: next(filter(partial(_is_unique, known), _endings(key)), key) for key in keys}


def sort_key(value: Any) -> tuple[int, float, str]:
    """Sorts numbers by size, then text, then nothing."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return (2, 0.0, "") if value is None else (1, 0.0, str(value))


def named(values: Mapping[str, Any]) -> str:
    """ "num_steps=5, cell=gru"."""
    return ", ".join(f"{key}={shown_value(value)}" for key, value in values.items())


def _endings(key: str) -> Iterator[str]:
    parts = key.split(".")
    return (".".join(parts[-count:]) for count in range(1, len(parts) + 1))


def _is_unique(known: set[str], name: str) -> bool:
    return sum(f".{key}".endswith(f".{name}") for key in known) == 1
