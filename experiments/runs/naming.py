"""The directory of a run, named after its overrides.

One value has one spelling, that of the checked config: `learning_rate=1e-3`, `0.001` and a YAML
grid name one directory. A later override replaces an earlier one, in the name too. A dictionary
is named by its keys: `truncation={kind:full}` is `truncation.kind=full`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.config.compose import GROUPS, is_group, parse_override
from experiments.config.flat import flatten, shown_value
from experiments.config.renamed import current_key
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory

LONGEST = 200  # characters; file systems allow 255
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
Leaf = tuple[str, Any]  # a key without keys below it, and its value


def run_directory(folder: Path, config: Config, overrides: Sequence[str]) -> Path:
    """The directory of a run in the folder of its experiment.

    An existing directory that holds this config under an older spelling is used.
    """
    path = folder / directory_name(config, overrides)
    if not (path / "config.yaml").exists():
        for name in _older_names(folder, path.name, overrides):
            if name != path.name and _holds(folder / name, config):
                return folder / name
    return path


def directory_name(config: Config, overrides: Sequence[str]) -> str:
    """The name: "default", or key=value,key=value sorted, with the values of the config."""
    content = config.as_dict()
    settings: dict[str, str] = {}
    leaves = [leaf for text in overrides for leaf in _leaves(text)]
    leaves.sort(key=lambda leaf: leaf[0] not in GROUPS)  # a config is composed in this order
    for key, value in leaves:
        for old in [each for each in settings if each == key or each.startswith(f"{key}.")]:
            del settings[old]
        section = key.partition(".")[0]  # alone, because a large grid has many names
        settings[key] = shown(flatten(content[section], section).get(key, value))
    return _file_name(f"{key}={value}" for key, value in settings.items())


def directory_beside(path: Path, changes: str) -> Path:
    """The directory beside a run's for the same run with changes, whatever that one's name is."""
    named = path if path.name.strip(".") else path.resolve()  # "." and ".." name no directory
    return named.with_name(_shortened(f"{named.name},{changes}"))


def shown(value: Any) -> str:
    """The one spelling of a value."""
    if isinstance(value, list):
        return f"[{','.join(map(shown, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return shown_value(value)


def name_as_written(overrides: Iterable[str]) -> str:
    """The name in version 0.1: the overrides as they were written."""
    return _file_name(text.strip() for text in overrides)


@functools.lru_cache(maxsize=10_000)  # the points of a grid share most of their overrides
def _leaves(text: str) -> tuple[Leaf, ...]:
    """The keys that an override sets; a dictionary sets those below its own."""
    override = parse_override(text)
    key, value = current_key(str(override.key_or_group)), override.value()
    if isinstance(value, dict) and value and not is_group(override):
        leaves = [(f"{key}.{name}", each) for name, each in _flat(value)]
        return tuple((current_key(name), each) for name, each in leaves)
    return ((key, value),)


def _flat(content: dict[Any, Any]) -> Iterator[Leaf]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from ((f"{key}.{name}", each) for name, each in _flat(value))
        else:
            yield str(key), value


def _file_name(settings: Iterable[str]) -> str:
    """The settings as one name that every file system takes."""
    return _shortened(re.sub(r"[^A-Za-z0-9_.,=+-]", "_", ",".join(sorted(settings))) or "default")


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    return name[:180] + f"-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _holds(path: Path, config: Config) -> bool:
    try:
        return not RunDirectory(path).differences(config)
    except UsageError:
        return False


def _older_names(folder: Path, name: str, overrides: Sequence[str]) -> Iterator[str]:
    """Names in the folder that an earlier version may have given this run."""
    yield name_as_written(overrides)
    if folder.is_dir():
        names = _names_by_spelling(folder.absolute(), folder.stat().st_mtime_ns)
        yield from names.get(name, ())


@functools.lru_cache(maxsize=4)  # thousands of points look into one folder
def _names_by_spelling(folder: Path, _changed: int) -> dict[str, list[str]]:
    """The names in a folder, by the name that they would have now."""
    found: dict[str, list[str]] = {}
    for path in folder.iterdir():
        found.setdefault(_respelled(path.name), []).append(path.name)
    return found


def _respelled(name: str) -> str:
    """An older directory name with each number in its one spelling, and each key once."""
    settings: dict[str, str] = {}
    for text in re.split(r",(?=[A-Za-z_][A-Za-z0-9_.]*=)", name):
        key, _, value = text.partition("=")
        settings[current_key(key)] = _respelled_value(value)
    return _file_name(f"{key}={value}" for key, value in settings.items())


def _respelled_value(value: str) -> str:
    if not NUMBER.fullmatch(value):
        return value
    return value if re.fullmatch(r"[-+]?\d+", value) else shown(float(value))
