"""YAML and overrides, in Hydra's grammar, to a config that pydantic has checked."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType, ValueType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    GrammarParseError,
    InterpolationResolutionError,
    OmegaConfBaseException,
)
from pydantic import ValidationError

from data.registry import CONFIGS as CONFIGS_OF_TASKS
from experiments.config.catalog import names, path_of, unknown
from experiments.config.mistakes import one_line
from experiments.config.quoting import LITERAL, quoted_override
from experiments.config.renamed import given_twice, note_old_name, rename_keys
from experiments.config.schema import NAME, Config
from experiments.config.yaml_file import read_yaml
from experiments.errors import UsageError
from experiments.paths import CONFIGS

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
GROUPS = ("task",)  # folders of configs/ that hold the choices for a section
WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")  # in the grammar too


def load_config(experiment: str, overrides: Sequence[str] = ()) -> Config:
    """The checked config of an experiment, by name or by the path of a YAML file.

    Raises UsageError, in one line, for anything that is wrong.
    """
    if isinstance(overrides, str):
        raise UsageError(f"overrides: expected a list such as [{overrides!r}], got {overrides!r}")
    return load_configs(experiment, [overrides])[0]


def load_configs(experiment: str, variants: Iterable[Sequence[str]]) -> list[Config]:
    """The checked config of each set of overrides. The files are composed once for all of them.

    Raises UsageError for the first that is wrong.
    """
    path = config_file("experiment", experiment)
    composed: dict[tuple[str, ...], Composed] = {}  # by the groups that the overrides choose
    configs = []
    for overrides in variants:
        given = [_parse(text) for text in overrides]
        groups = [override for override in given if is_group(override)]
        chosen = tuple(str(override.input_line) for override in groups)
        if chosen not in composed:
            composed[chosen] = Composed.of(_compose(path, groups))
        values = [override for override in given if not is_group(override)]
        content = _apply(composed[chosen], values)
        if content.get("name") == path.stem:
            _check_name_of_file(path)
        configs.append(validate(Config, content, f"experiment {experiment}"))
    return configs


def validate(model: type[Any], values: Any, where: str) -> Any:
    """`values` as the model, or a UsageError that names the first wrong key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UsageError(one_line(error, model, where)) from error


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping, safely loaded, its keys under their present names."""
    content = _read_yaml(path)
    rename_keys(content)
    return content


def _read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping, safely loaded, as it is written."""
    content = read_yaml(path)
    if content is None:
        raise UsageError(f"{path}: expected keys and values, found nothing")
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    if twice := given_twice(content):
        raise UsageError(f"{path}: {twice}: given under its old and its new name; expected one")
    return content


def _rename(config: MutableMapping[Any, Any]) -> None:
    """Give the keys that a user wrote their present names, and tell the user of old ones."""
    for old in rename_keys(config):
        note_old_name(old)


def config_file(kind: str, name: str) -> Path:
    """The file of an experiment, a sweep or a study: of the user or of configs/.

    Raises UsageError where there is none.
    """
    if is_file_name(name):
        path = expanded(name)
        if path.is_dir():
            raise UsageError(f"{kind} file {name}: expected a file, found a folder")
        if not path.is_file():
            raise UsageError(f"{kind} file {name}: no such file")
        return path
    path = path_of(kind, name)
    if not path.is_file():
        raise UsageError(unknown(kind, name))
    return path


def is_file_name(name: str) -> bool:
    """Whether an experiment, a sweep or a study is named by its file."""
    return name.endswith((".yaml", ".yml")) or "/" in name


def beside(path: Path, experiment: str) -> str:
    """The experiment that the file at `path` names: a name, or a file from that file's folder."""
    return str(path.parent / expanded(experiment)) if is_file_name(experiment) else experiment


def expanded(text: str | Path) -> Path:
    """The path, with ~ at its beginning as the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~nobody
        return Path(text)


def _check_name_of_file(path: Path) -> None:
    """Raise UsageError where a file that gives no name cannot lend its own."""
    if not re.fullmatch(NAME, path.stem):
        raise UsageError(
            f"experiment file {path}: without a key `name`, its file name names the experiment; "
            f"expected letters, digits, _, . and -, got {path.stem!r}; rename the file, "
            "or add `name`"
        )


def parse_override(text: str) -> Override:
    """One key=value, or key=v1,v2, of the command line, in Hydra's grammar. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not equals or not KEY.fullmatch(key):
        raise UsageError(f"override '{text}': expected key=value")
    if WHOLE.fullmatch(value) and key.split(".")[0] != "hydra":  # parsing takes a millisecond
        return Override(
            OverrideType.CHANGE, key, ValueType.ELEMENT, int(value), input_line=text
        )  # fmt: skip
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise UsageError(
            f"override '{text}': value not understood: {value!r}; text with special characters "
            f"needs quotes, for Hydra and for the shell: {quoted_override(key, value)}"
        ) from error
    if key.split(".")[0] == "hydra":  # Hydra would take it for its own settings, and say nothing
        raise UsageError(f"{key}: unknown key")
    return override


def _parse(text: str) -> Override:
    """An override of one run."""
    override = parse_override(text)
    if override.is_sweep_override():
        key, _, value = text.partition("=")
        hint = f"; text is quoted: {quoted_override(key, value)}" if " " in value else ""
        raise UsageError(f"{key}: expected one value, got the sweep {value}{hint}")
    return override


def _compose(path: Path, groups: Sequence[Override]) -> DictConfig:
    """base.yaml, a file for each group, then the experiment's differences."""
    content = {"name": path.stem} | _read_yaml(path)
    named = groups_named(content.pop("defaults", []), path)
    base = _base([*named, *_with_task_of(content, groups)])
    _rename(content)
    try:
        merged = OmegaConf.merge(base, content)
    except OmegaConfBaseException as error:
        raise UsageError(f"experiment file {path}: {_composing_problem(error)}") from error
    assert isinstance(merged, DictConfig)
    return merged


def _base(groups: Sequence[Override]) -> DictConfig:
    """base.yaml over a file for each of its groups; the last override of a group counts.

    Hydra's compose() would read these files by YAML 1.1, where 010 is 8 and 1:30 is 90.
    """
    path = CONFIGS / "base.yaml"
    content = _read_yaml(path)
    _rename(content)
    own = groups_named(content.pop("defaults", []), path)
    chosen = {str(each.key_or_group): str(each.value()) for each in (*own, *groups)}
    for group, choice in chosen.items():
        if choice not in names(group):
            raise UsageError(unknown(group, choice))
    files = {group: _read_yaml(path_of(group, choice)) for group, choice in chosen.items()}
    return cast(DictConfig, OmegaConf.merge(files, content))


class Composed(NamedTuple):
    """A composed config, and the same as plain values."""

    config: DictConfig
    plain: dict[str, Any]  # empty if values refer to each other

    @classmethod
    def of(cls, config: DictConfig) -> Composed:
        """The config with its plain values, where it has no interpolation."""
        content: Any = OmegaConf.to_container(config, resolve=False)
        return cls(config, {} if "${" in str(content) else content)


def _apply(composed: Composed, overrides: Sequence[Override]) -> dict[str, Any]:
    """The composed config with the overrides' values in it; `composed` stays as it is."""
    content = composed.plain
    for override in overrides:
        content = content and _with_number(content, override)
    return content or _merge(composed.config, overrides)


def _with_number(content: dict[str, Any], override: Override) -> dict[str, Any]:
    """The content with a number in the place of a plain value; empty for any other override.

    The points of a large grid differ in numbers, and merging takes a hundred times as long.
    """
    *path, name = str(override.key_or_group).split(".")
    value = override.value()
    changed = section = dict(content)
    for key in path:
        if not isinstance(section.get(key), dict):
            return {}
        section[key] = section = dict(section[key])
    is_plain = name in section and not isinstance(section[name], dict | list)
    if not is_plain or isinstance(value, bool) or not isinstance(value, int | float):
        return {}
    section[name] = value
    return changed


def _merge(composed: DictConfig, overrides: Sequence[Override]) -> dict[str, Any]:
    """As `_apply`, for any override."""
    merged = copy.deepcopy(composed)
    try:
        for override in overrides:
            # A mistyped key passes here, so that pydantic names it and the nearest one.
            key = str(override.key_or_group)
            OmegaConf.update(merged, key, override.value(), force_add=True)
            _rename(merged)  # after each, so that the last value of a key counts
        content = OmegaConf.to_container(merged, resolve=True)
    except (OmegaConfBaseException, ValueError) as error:
        raise UsageError(_composing_problem(error)) from error
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def _with_task_of(content: dict[str, Any], overrides: Sequence[Override]) -> list[Override]:
    """The overrides, and before them the group of the task that a user's own file names."""
    task = content.get("task")
    kind = task.get("kind") if isinstance(task, dict) else None
    if not isinstance(kind, str) or kind not in CONFIGS_OF_TASKS:
        return [*overrides]
    return [_parse(f"task={kind}"), *overrides]


def groups_named(defaults: Any, path: Path) -> list[Override]:
    """The groups that the `defaults:` of a file choose, such as `override /task: text`.

    Raises UsageError for an entry that chooses no file of configs/.
    """
    expected = "expected a list of entries such as '- override /task: text'"
    if not isinstance(defaults, list):
        raise UsageError(f"{path}: defaults: {expected}, got {defaults!r}")
    found = []
    for entry in defaults:
        if entry == "_self_":  # the file's own keys come last in any case
            continue
        if not isinstance(entry, dict) or len(entry) != 1:
            raise UsageError(f"{path}: defaults: {expected}, got {entry!r}")
        ((key, choice),) = entry.items()
        group = str(key).removeprefix("override ").strip().lstrip("/")
        if group not in GROUPS or choice not in names(group):
            raise UsageError(f"{path}: defaults: no file configs/{group}/{choice}.yaml; {expected}")
        found.append(_parse(f"{group}={choice}"))
    return found


def is_group(override: Override) -> bool:
    """Whether it chooses a file of configs/ for a section, as task=binary_dependency does."""
    return str(override.key_or_group) in GROUPS


def _first_line(error: Exception) -> str:
    return next(
        (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
    )


def _composing_problem(error: Exception) -> str:
    """OmegaConf's error as one line, with the key where it knows it."""
    key = getattr(error, "full_key", None)
    hint = (
        f"; {LITERAL}"
        if isinstance(error, InterpolationResolutionError | GrammarParseError)
        else ""
    )
    return f"{key or 'config'}: {_first_line(error)}{hint}"
