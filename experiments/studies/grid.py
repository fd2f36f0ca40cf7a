"""Runs of a study: one by one, or a grid, a product of values; and how they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field

from rnn_graphs.config import Section


class RunSpec(Section):
    """One run of a study."""

    experiment: str
    overrides: tuple[str, ...] = ()


class GridSpec(Section):
    """A run for each combination of the values; the last key changes fastest."""

    experiment: str
    overrides: tuple[str, ...] = ()
    over: dict[str, tuple[int | float | str, ...]] = Field(min_length=1)

    def runs(self, name: str) -> dict[str, RunSpec]:
        """The runs, named by the grid and their values: "tf_style/gru,16,33"."""
        runs = {}
        for values in itertools.product(*self.over.values()):
            changes = [f"{key}={value}" for key, value in zip(self.over, values, strict=True)]
            runs[f"{name}/{','.join(map(str, values))}"] = RunSpec(
                experiment=self.experiment, overrides=(*self.overrides, *changes)
            )
        return runs


def matching(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """The names that the patterns stand for, as "tf_style/gru,*" does for a part of a grid.

    A pattern that stands for none is kept: whoever looks it up can say that it is not there.
    """
    known = list(names)
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [name for name in known if fnmatchcase(name, pattern)]
        found |= dict.fromkeys(hits or [pattern])
    return list(found)


def with_runs(arguments: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The arguments, with the runs themselves for the patterns of `names`."""
    if "names" not in arguments:
        return dict(arguments)
    return {**arguments, "names": matching(arguments["names"], known)}


def runs_named(arguments: Mapping[str, Any]) -> list[str]:
    """The runs that a figure or a claim names."""
    return [*runs_needed(arguments), *arguments.get("minima", ())]


def runs_needed(arguments: Mapping[str, Any]) -> list[str]:
    """Those that it cannot do without; what was published is drawn with or without its run."""
    single = [arguments[key] for key in ("run", "against") if key in arguments]
    return [*single, *[name for key in ("names", "labels") for name in arguments.get(key, ())]]
