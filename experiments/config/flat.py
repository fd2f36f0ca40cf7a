"""A config as one flat mapping: dotted keys to values, and a value as YAML writes it."""

from __future__ import annotations

from typing import Any


def flatten(value: Any, key: str = "") -> dict[str, Any]:
    """Flatten nested mappings, and lists of mappings, to dotted keys; other lists stay values."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        value = {str(place): each for place, each in enumerate(value)}
    if not isinstance(value, dict):
        return {key: value}
    flat: dict[str, Any] = {}
    for name, each in value.items():
        flat |= flatten(each, f"{key}.{name}" if key else name)
    return flat


def shown_value(value: Any) -> str:
    """A config value as YAML writes it, with lists on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return "[" + ", ".join(map(shown_value, value)) + "]" if isinstance(value, list) else str(value)
