"""The runs of a study as points: their configs, and where each is trained and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.config.compose import load_configs
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.runs.naming import directory_beside, directory_name
from experiments.studies.recorded import find_recorded
from experiments.studies.spec import StudyConfig
from experiments.sweeps.points import Point, check_can_start
from experiments.training.runner import default_directory


class Plan(NamedTuple):
    """The runs of a study, each with its config."""

    points: list[Point]  # where they are read
    own: dict[str, Point]  # where they are trained, recorded or not; by name


def plan(study: StudyConfig, overrides: Sequence[str], data_changed: bool = False) -> Plan:
    """The study's runs and where they are, every one checked before the first one starts.

    A run that was recorded is read from there, unless it is complete here.
    """
    own, points, here = own_points(study, overrides), [], []
    for point in own:
        recorded = (
            find_recorded(study.recorded, point.name, point.config) if study.recorded else None
        )
        if recorded and not RunDirectory(point.directory).is_complete():
            points.append(point._replace(directory=recorded))
        else:
            here.append(point)
            points.append(point)
    check_entries(study, overrides, {point.name: point.config for point in points})
    check_can_start(here, data_changed)
    return Plan(points, {point.name: point for point in own})


def own_points(study: StudyConfig, overrides: Sequence[str]) -> list[Point]:
    """The study's runs in the directories where they are trained, recorded or not."""
    points = []
    configs = configs_of(study, overrides)
    for name, spec in study.all_runs.items():
        changes, config = last_of_each_key(*spec.overrides, *overrides), configs[name]
        if spec.run_dir is None:
            directory = default_directory(config, changes)
        elif not changes:
            directory = spec.run_dir
        else:  # two of them may be runs of one experiment
            directory = directory_beside(spec.run_dir, directory_name(config, changes))
        points.append(Point(name, changes, config, directory))
    return points


def last_of_each_key(*overrides: str) -> tuple[str, ...]:
    """The overrides without those that a later one of the same key replaces."""
    by_key = {text.partition("=")[0].strip(): text for text in overrides}
    return tuple(by_key.values())


def configs_of(study: StudyConfig, overrides: Sequence[str]) -> dict[str, Config]:
    """The config of each run by name. Raises UsageError for the first that is not valid."""
    by_source: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, spec in study.all_runs.items():
        changes = last_of_each_key(*spec.overrides, *overrides)
        by_source.setdefault(spec.source, {})[name] = changes
    configs: dict[str, Config] = {}
    for source, changes_by_name in by_source.items():
        try:
            found = load_configs(source, changes_by_name.values())
        except UsageError:
            name, error = _first_invalid(source, changes_by_name)
            raise UsageError(f"{study.named}: run {name}: {error}") from error
        configs |= dict(zip(changes_by_name, found, strict=True))
    return configs


def _first_invalid(
    source: str, changes_by_name: Mapping[str, Sequence[str]]
) -> tuple[str, UsageError]:
    """The first run whose config is not valid, and why."""
    for name, changes in changes_by_name.items():
        try:
            load_configs(source, [changes])
        except UsageError as error:
            return name, error
    raise AssertionError("every config is valid on its own")


def check_entries(
    study: StudyConfig, overrides: Sequence[str], configs: Mapping[str, Config]
) -> None:
    """See that figures and claims ask only for what the runs will have. Raises UsageError.

    Where overrides take away what a claim needs, the study is right and that claim is not run.
    """
    problem = study.problem(configs)
    if problem and overrides:
        problem = study.problem(configs_of(study, ()))
    if problem:
        raise UsageError(f"{study.named}: {problem}")
