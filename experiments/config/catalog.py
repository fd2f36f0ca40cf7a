"""The files of configs/. Imports nothing slow, so that `run.py list` is instant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from experiments.config.yaml_file import read_yaml
from experiments.errors import UsageError
from experiments.paths import CONFIGS


def names(kind: str) -> list[str]:
    """Every config of a kind: "experiment", "study", …"""
    return sorted(path.stem for path in (CONFIGS / kind).glob("*.yaml"))


def path_of(kind: str, name: str) -> Path:
    """The path of a config file, which need not exist."""
    return CONFIGS / kind / f"{name}.yaml"


def description(path: Path) -> str:
    """The description in a config file, or the reason why it cannot be read."""
    try:
        content = read_yaml(path)
    except UsageError as error:
        return f"(unreadable: {error})"
    if not isinstance(content, dict):
        return f"(unreadable: {path}: expected a mapping of keys)"
    return str(content.get("description", ""))


def nearest(name: str, known: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for the nearest known name, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def unknown(kind: str, name: str) -> str:
    """The error message for an unknown name."""
    known = names(kind)
    return f"{kind} '{name}': not known" + (nearest(name, known) or f"; known: {', '.join(known)}")
