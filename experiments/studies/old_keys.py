"""Keys of a study's YAML that have been renamed, and still work in this version."""

from __future__ import annotations

from typing import Any

from experiments.studies import registry

CRITERIA = {"none_beyond_reach": "none_beyond_depth"}
ARGUMENTS = {
    "horizon": {"reach": "against"},
    "turns": {"name": "style"},
    "loss_of_updates": {"margin": "tolerance"},
}


def with_new_keys(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The content of a study's file with today's keys, and a word for each that was renamed.

    `expected`, once beside `measure`, is an argument now where the criterion takes it, and is
    made from the arguments elsewhere.
    """
    renamed: dict[str, None] = {}
    changed = dict(content)
    for part, key in (("claims", "criterion"), ("figures", "kind")):
        specs = changed.get(part)
        if isinstance(specs, list):
            changed[part] = [_renewed(spec, key, renamed) for spec in specs]
    return changed, list(renamed)


def _renewed(spec: Any, key: str, renamed: dict[str, None]) -> Any:
    if not isinstance(spec, dict) or not isinstance(spec.get("arguments", {}), dict):
        return spec
    spec, arguments = dict(spec), dict(spec.get("arguments", {}))
    if key == "criterion" and "measure" in spec and key not in spec:
        spec[key] = spec.pop("measure")
        renamed["measure is now criterion"] = None
        if "expected" in spec:
            _move_expected(spec, arguments, renamed)
    name = spec.get(key)
    if isinstance(name, str) and name in CRITERIA:
        spec[key] = CRITERIA[name]
        renamed[f"{name} is now {CRITERIA[name]}"] = None
    old_keys = ARGUMENTS.get(name, {}) if isinstance(name, str) else {}
    for old, new in old_keys.items():
        if old in arguments and new not in arguments:
            arguments[new] = arguments.pop(old)
            renamed[f"{old} of {name} is now {new}"] = None
    return spec | {"arguments": arguments}


def _move_expected(
    spec: dict[str, Any], arguments: dict[str, Any], renamed: dict[str, None]
) -> None:
    """Make `expected` an argument, or leave out a text that is now made from the arguments."""
    expected = spec.pop("expected")
    name = CRITERIA.get(str(spec["criterion"]), spec["criterion"])
    kind = registry.CRITERIA.get(str(name))
    if kind is not None and "expected" in kind.model_fields:
        arguments.setdefault("expected", expected)
        renamed["expected is now one of the arguments"] = None
    else:
        renamed["expected texts are now made from the arguments"] = None
