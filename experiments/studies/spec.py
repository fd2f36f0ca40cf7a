"""A study as its YAML states it: runs, figures and claims, all checked before one is trained."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, SerializeAsAny, model_validator

from experiments.config.catalog import nearest
from experiments.config.compose import beside, config_file, is_file_name, load_yaml, validate
from experiments.config.schema import Config
from experiments.studies.entries import Criterion, Entry, StudyFigure
from experiments.studies.grid import GridSpec, RunSpec
from experiments.studies.old_keys import with_new_keys
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion, make_figure
from experiments.studies.runs import hits, matching, names_in
from rnn_graphs.config import Section


class FigureSpec(Section):
    """One figure; `kind` and `arguments` are the name and the fields of a StudyFigure."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    caption: str
    kind: SerializeAsAny[StudyFigure]

    @model_validator(mode="before")
    @classmethod
    def _read_kind(cls, raw: Any) -> Any:
        return _with_entry(raw, "kind", make_figure)


class ClaimSpec(Section):
    """One claim; `criterion` and `arguments` are the name and the fields of a Criterion."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    source: str
    claim: str
    criterion: SerializeAsAny[Criterion]

    @model_validator(mode="before")
    @classmethod
    def _read_criterion(cls, raw: Any) -> Any:
        return _with_entry(raw, "criterion", make_criterion)


def _with_entry(raw: Any, key: str, make: Callable[[object, object], Entry]) -> Any:
    """YAML's `key` and `arguments` as the entry itself, under `key`."""
    if not isinstance(raw, dict) or isinstance(raw.get(key), Entry):
        return raw
    content = dict(raw)
    arguments = content.pop("arguments", {})
    if key in content:
        try:
            content[key] = make(content[key], arguments)
        except ValueError as error:
            raise ValueError(f"{raw.get('id')}: {error}") from error
    return content


class StudyConfig(Section):
    """configs/study/NAME.yaml, or a user's own file."""

    # The folder of experiments/studies/recordings/ that stands in for runs which are not in runs/.
    recorded: str | None = None
    description: str
    title: str
    introduction: str = ""
    runs: dict[str, RunSpec] = Field(default_factory=dict)
    grids: dict[str, GridSpec] = Field(default_factory=dict)
    figures: tuple[FigureSpec, ...] = ()
    claims: tuple[ClaimSpec, ...] = ()
    _name: str | None = PrivateAttr(None)  # by which it was loaded

    @property
    def named(self) -> str:
        """The study as errors name it: by its name or its file, or by its title if it has none."""
        return f"study {self._name}" if self._name else f"study “{self.title}”"

    @property
    def all_runs(self) -> dict[str, RunSpec]:
        """The runs by name, those of the grids included."""
        runs = dict(self.runs)
        for name, grid in self.grids.items():
            runs |= grid.runs(name)
        return runs

    @property
    def entries(self) -> list[tuple[str, Entry]]:
        """The entry behind each figure and each claim, with its id."""
        figures: list[tuple[str, Entry]] = [(figure.id, figure.kind) for figure in self.figures]
        return [*figures, *((claim.id, claim.criterion) for claim in self.claims)]

    def runs_of(self, entry: Entry) -> list[str]:
        """The names of the runs that a figure or a criterion names, patterns expanded."""
        return matching([*names_in(entry)], self.all_runs)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> StudyConfig:
        for ids in ([figure.id for figure in self.figures], [claim.id for claim in self.claims]):
            for each in ids:
                if ids.count(each) > 1:
                    raise ValueError(f"id {each}: {ids.count(each)} have this name")
        return self

    @model_validator(mode="after")
    def _runs_are_there(self) -> StudyConfig:
        known = self.all_runs
        for entry_id, entry in self.entries:
            for name in names_in(entry):
                if not hits(name, known):
                    there = ", ".join([*self.runs, *(f"{grid}/…" for grid in self.grids)])
                    raise ValueError(
                        f"{entry_id}: expected one of the runs {there}; got {name}"
                        f"{nearest(name, known)}"
                    )
        return self

    def problem(self, configs: Mapping[str, Config]) -> str | None:
        """The first figure or claim that asks of its runs what they will not have; None: none."""
        planned = {name: PlannedRun(name, config) for name, config in configs.items()}
        for entry_id, entry in self.entries:
            try:
                entry.check(planned)
            except ValueError as error:
                return f"{entry_id}: {error}"
        return None


def load_study(name: str) -> StudyConfig:
    """The checked study, by name or by the path of a YAML file. Raises UsageError."""
    path = config_file("study", name)
    content, renamed = with_new_keys(load_yaml(path))
    if renamed:
        print(f"{path}: renamed: {', '.join(renamed)}", file=sys.stderr)
    if is_file_name(name):
        _find_files_beside(path, content)
    study: StudyConfig = validate(StudyConfig, content, f"study {name}")
    study._name = name
    return study


def _find_files_beside(path: Path, content: dict[str, Any]) -> None:
    """Make the experiments that are files relative to the folder of the study's file."""
    for part in ("runs", "grids"):
        specs = content.get(part)
        for spec in specs.values() if isinstance(specs, dict) else ():
            experiment = spec.get("experiment") if isinstance(spec, dict) else None
            if isinstance(experiment, str):
                spec["experiment"] = beside(path, experiment)
