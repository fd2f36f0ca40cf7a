"""Groups of runs whose configs differ only in their seeds, and the config keys that differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from experiments.comparison.data import differing_data
from experiments.config.flat import flatten, shown_value
from experiments.runs.curves import Curves, curves
from experiments.runs.final_loss import FinalLoss
from experiments.runs.metrics import MetricsRow
from experiments.runs.run import Run

# Runs that differ only in these have the same curve for the same seed.
IGNORED_KEYS = (
    "name", "description", "training.seeds", "training.first_seed",
    "logging.metrics", "logging.tensorboard", "logging.checkpoint_seconds",
    "execution.threads", "execution.onednn", "execution.memory_limit",
    "execution.iterations_per_loop",
)  # fmt: skip


class Group:
    """Runs of one config, treated as one run with all their seeds."""

    def __init__(self, values: Mapping[str, Any], runs: Sequence[Run]) -> None:
        self.values = values  # of the keys in which the groups differ, by short name
        self.runs = runs

    @property
    def label(self) -> str:
        """The differing values, or the experiment's name if nothing differs."""
        return shortly_named(self.values) or self.runs[0].config.name

    @cached_property
    def _run_of(self) -> dict[int, Run]:
        """Each seed's run: the one that trained it longest, of these the one with most metrics.

        A seed that is in two runs counts once, because the second is not independent evidence.
        """

        def evidence(run: Run, seed: int) -> tuple[int, int]:
            last = run.rows_by_seed[seed][-1]
            return last.updates, len(last.metrics)

        found: dict[int, Run] = {}
        for run in self.runs:
            for seed in run.rows_by_seed:
                if seed not in found or evidence(run, seed) > evidence(found[seed], seed):
                    found[seed] = run
        return dict(sorted(found.items()))

    @cached_property
    def rows(self) -> dict[int, list[MetricsRow]]:
        """Each seed's training rows."""
        return {seed: run.rows_by_seed[seed] for seed, run in self._run_of.items()}

    @cached_property
    def validation_rows(self) -> dict[int, list[MetricsRow]]:
        """The validation rows of each seed that has some."""
        return {
            seed: run.validation_rows[seed]
            for seed, run in self._run_of.items()
            if seed in run.validation_rows
        }

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
    def validation_curves(self) -> Curves:
        """The validation curves of all seeds."""
        rows = [row for rows in self.validation_rows.values() for row in rows]
        return curves(rows, "valid")

    @cached_property
    def finals(self) -> dict[int, FinalLoss]:
        """Each complete seed's final loss, with its number of updates."""
        return {seed: run.finals[seed] for seed, run in self._complete.items()}

    @property
    def final_losses(self) -> dict[int, float]:
        """Each complete seed's mean loss over the last tenth of training."""
        return {seed: final.loss for seed, final in self.finals.items()}

    @cached_property
    def fresh_losses(self) -> dict[int, float]:
        """Each complete seed's loss on fresh data, if it was measured."""
        return {
            seed: run.fresh_losses[seed]
            for seed, run in self._complete.items()
            if seed in run.fresh_losses
        }

    @property
    def fresh_time_steps(self) -> int:
        """The symbols of fresh data in `fresh_losses`, over all seeds; 0 if unknown."""
        return sum(self._complete[seed].fresh_time_steps.get(seed, 0) for seed in self.fresh_losses)

    @cached_property
    def learned(self) -> dict[int, tuple[int, int]]:
        """By lag, the seeds that learned it and the seeds probed; empty without a probe.

        A seed whose rows were too short to tell has null for the effect, and is not counted.
        """
        counts: dict[int, tuple[int, int]] = {}
        for answers in self._answers():
            for effect in answers["effects"]:
                if effect.get("model", 0.0) is None:
                    continue
                learned, total = counts.get(effect["lag"], (0, 0))
                counts[effect["lag"]] = learned + bool(effect["learned"]), total + 1
        return dict(sorted(counts.items()))

    def _answers(self) -> Iterator[Mapping[str, Any]]:
        """The probe's answers, once for each seed."""
        for run in self.runs:
            for answers in run.summary.get("probe") or []:
                if self._run_of.get(answers.get("seed"), run) is run and "effects" in answers:
                    yield answers

    @cached_property
    def _complete(self) -> dict[int, Run]:
        """The run of each complete seed."""
        complete = set().union(*(run.complete_seeds for run in self.runs))
        return {seed: run for seed, run in self._run_of.items() if seed in complete}

    @property
    def planned(self) -> int:
        """The number of seeds that the runs' configs ask for."""
        return len(set().union(*(run.config.seeds for run in self.runs)))

    @property
    def status(self) -> str:
        """The status of the runs; "2 complete, 1 failed" if they differ."""
        counts = Counter(run.status for run in self.runs)
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {status}" for status, count in counts.most_common())

    @property
    def is_complete(self) -> bool:
        """Whether every planned seed is complete."""
        return len(self.finals) == self.planned

    @property
    def floors(self) -> dict[str, float]:
        """The task's entropy floors, from the first run that has any."""
        return next((run.floors for run in self.runs if run.floors), {})

    @property
    def task(self) -> str:
        """The task as text, without its size. Losses of different tasks cannot be compared."""
        return json.dumps(self.runs[0].config.task_without_size)

    @property
    def seconds_a_seed(self) -> float | None:
        """Seconds of training, mean over the complete seeds; None if none is complete."""
        found = [self.rows[seed][-1].seconds for seed in self.finals]
        return sum(found) / len(found) if found else None

    @property
    def symbols_a_row(self) -> int:
        """The number of symbols in a seed's first row, the least over the seeds."""
        return min((rows[0].time_steps for rows in self.rows.values()), default=0)


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
    return sorted_groups(found)


def sorted_groups(groups: Sequence[Group]) -> list[Group]:
    """The groups, sorted by their values."""
    return sorted(groups, key=lambda group: [sort_key(value) for value in group.values.values()])


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dotted keys whose values differ, in the order of the configs."""
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
    """A key that sorts numbers by size, then text, then None."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return (2, 0.0, "") if value is None else (1, 0.0, str(value))


def named(values: Mapping[str, Any]) -> str:
    """The values as text: "num_steps=5, cell=gru"."""
    return ", ".join(f"{key}={shown_value(value)}" for key, value in values.items())


def shortly_named(values: Mapping[str, Any]) -> str:
    """`named` without keys that are None, unless all are, so that names stay different."""
    return named({key: value for key, value in values.items() if value is not None}) or named(
        values
    )


def labels_of(groups: Sequence[Group]) -> list[str]:
    """Labels that distinguish these groups, without the keys on which they agree."""
    keys = [
        key for key in groups[0].values if len({repr(group.values[key]) for group in groups}) > 1
    ]
    if not keys:
        return [group.label for group in groups]
    return [shortly_named({key: group.values[key] for key in keys}) for group in groups]


def shared_name(groups: Sequence[Group]) -> str:
    """The values that these groups share, of the keys that differ among all groups."""
    first = groups[0].values
    return shortly_named(
        {
            key: value
            for key, value in first.items()
            if all(group.values[key] == value for group in groups)
        }
    )


def tasks_of(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups by task, in order of first appearance."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(group.task, []).append(group)
    return list(found.values())


def _endings(key: str) -> Iterator[str]:
    parts = key.split(".")
    return (".".join(parts[-count:]) for count in range(1, len(parts) + 1))


def _is_unique(known: set[str], name: str) -> bool:
    return sum(f".{key}".endswith(f".{name}") for key in known) == 1
