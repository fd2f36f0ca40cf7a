"""Runs of a study: one by one, or a grid, a product of values."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from experiments.config.compose import expanded
from experiments.config.flat import shown_value
from rnn_graphs.config import Section


class RunSpec(Section):
    """One run of a study: an experiment with overrides, or a run directory that is there."""

    experiment: str | None = None  # a name that `list` shows, or a YAML file beside the study's
    overrides: tuple[str, ...] = ()
    run_dir: Path | None = None  # from the current folder, as on the command line

    @field_validator("run_dir")
    @classmethod
    def _of_the_home_folder(cls, value: Path | None) -> Path | None:
        return value and expanded(value)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.experiment is None) == (self.run_dir is None):
            raise ValueError("expected an experiment or a run_dir, and not both")
        if self.run_dir is not None and self.overrides:
            raise ValueError("run_dir: overrides are only for an experiment")
        return self

    @property
    def source(self) -> str:
        """The experiment that the config comes from, by name or by file."""
        return self.experiment or str(self.run_dir and self.run_dir / "config.yaml")


class GridSpec(Section):
    """A run for each combination of the values; the last key changes fastest."""

    experiment: str
    overrides: tuple[str, ...] = ()
    over: dict[str, tuple[bool | int | float | str, ...]] = Field(min_length=1)

    def runs(self, name: str) -> dict[str, RunSpec]:
        """The runs, named by the grid and their values: "tf_style/gru,16,33"."""
        runs = {}
        for values in itertools.product(*self.over.values()):
            texts = [*map(shown_value, values)]
            changes = [f"{key}={text}" for key, text in zip(self.over, texts, strict=True)]
            runs[f"{name}/{','.join(texts)}"] = RunSpec(
                experiment=self.experiment, overrides=(*self.overrides, *changes)
            )
        return runs
