"""Renamed config keys, whose old names still work in this version."""

from __future__ import annotations

import functools
import sys
from collections.abc import MutableMapping
from typing import Any

# Old key → new key, in the same section.
RENAMED = {
    "model.input_keep": "model.input_keep_prob",
    "model.state_keep": "model.state_keep_prob",
    "model.output_keep": "model.output_keep_prob",
}


def rename_keys(config: MutableMapping[Any, Any]) -> list[str]:
    """Replace old key names by new ones, in place. If both are given, the old name's value wins.

    Returns the old names it found.
    """
    found = []
    for old, new in RENAMED.items():
        section, old_name, new_name = _find(config, old, new)
        if old_name in section:
            section[new_name] = section.pop(old_name)
            found.append(old)
    return found


@functools.cache  # once, although a sweep composes many configs
def note_old_name(old: str) -> None:
    """Print once that a key has a new name."""
    print(f"{old} is now {RENAMED[old]}; the old name works in this version", file=sys.stderr)


def given_twice(config: MutableMapping[Any, Any]) -> str | None:
    """The first key that a config gives under both its old and its new name, or None."""
    for old, new in RENAMED.items():
        section, *names = _find(config, old, new)
        if all(name in section for name in names):
            return new
    return None


def current_key(key: str) -> str:
    """The key's name in this version."""
    return RENAMED.get(key, key)


def _find(
    config: MutableMapping[Any, Any], old: str, new: str
) -> tuple[MutableMapping[Any, Any], str, str]:
    """The section of both keys, {} if the config lacks it, and their names in it."""
    *path, old_name = old.split(".")
    section: Any = config
    for part in path:
        section = section.get(part)
        if not isinstance(section, MutableMapping):
            return {}, old_name, ""
    return section, old_name, new.split(".")[-1]
