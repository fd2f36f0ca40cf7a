"""Runs of a study: one by one, or a grid, a product of values."""

from __future__ import annotations

import itertools

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
