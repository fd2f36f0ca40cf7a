"""pydantic's errors in one line: the key, what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from data.registry import CONFIGS as CONFIGS_OF_TASKS
from experiments.config.catalog import nearest
from experiments.config.flat import shown_value

WORDS = {  # pydantic's, by pattern, and those of this program
    "Input should (be|have)": "expected",
    r"(Tuple|List|Dictionary|Set) should have at least (\d+) items?.*": r"expected \2 or more",
    r"(Tuple|List|Dictionary|Set) should have at most (\d+) items?.*": r"expected \2 at most",
    "a valid (tuple|list)": "a list",
    "a valid dictionary( or instance of \\w+)?": "a mapping of keys",
    "a valid integer(, (unable to parse|got a number).*)?": "a whole number",
    "Unable to parse input string as an integer, exceeded maximum size": "expected a smaller whole "
    "number",
    "a valid number(, unable to parse.*)?": "a number",
    "a valid string": "text",
    "a valid boolean(, unable to interpret.*)?": "true or false",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
}
OF_PATTERNS = {  # by the key whose text has to match one
    "name": "expected letters, digits, _, . and -, a letter or a digit first",
    "id": "expected lower-case letters, digits and _",
}


def one_line(error: ValidationError, model: type[Any], where: str) -> str:
    """The first of pydantic's errors: key, reason, what was got, and the nearest key.

    A key that is not known comes first: it is often the reason why another is missing.
    """
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    location = _key_parts(first["loc"])
    key = ".".join(location)
    if first["type"] == "invalid_key":  # 1: 2 in YAML
        return f"{where}: {key}: unknown key"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        path = _key_parts([part for part in first["loc"] if not isinstance(part, int)])
        known = known_keys(model)
        if location[0] == "task" and len(path) > 1:  # the keys of other tasks would be no help
            known = known_keys(CONFIGS_OF_TASKS[str(first["loc"][1])], "task.")
        close = nearest(".".join(path), [_with_names_of(path, each) for each in known])
        return f"{where}: {key}: unknown key{close}{more}"
    if first["type"] == "missing":
        return f"{where}: {key}: this key is needed and was not given{more}"
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":  # our own messages say what was got
        return f"{where}: {key + ': ' if key else ''}{reason}{more}"
    if first["type"] == "task_kind":
        if not isinstance(first["input"], dict):
            return f"{where}: {key}: expected a mapping of keys; got {_found(first['input'])}{more}"
        kind = first["input"].get("kind")
        return f"{where}: {key}.{reason}; got {_found(kind)}{more}"
    if first["type"] == "string_pattern_mismatch":
        reason = OF_PATTERNS.get(location[-1], reason)
    for theirs, ours in WORDS.items():
        reason = re.sub(theirs, ours, reason)
    return f"{where}: {key}: {reason}; got {_found(first['input'])}{more}"


def _found(value: Any) -> str:
    """What was got, with null, true and false as they are written in YAML."""
    return shown_value(value) if value is None or isinstance(value, bool) else repr(value)


def _key_parts(location: Sequence[int | str]) -> list[str]:
    """pydantic's place of an error as the parts of a key, without the kind that chose a model.

    There are none for an error between several parts of the config.
    """
    parts = [str(part) for part in location]
    if parts[:1] == ["task"] and len(parts) > 1:
        del parts[1]
    # A value that may be of several types has an error for each: "state_size.int".
    return parts[:-1] if parts[-1:] == ["int"] else parts


def _with_names_of(path: Sequence[str], key: str) -> str:
    """A known key with the names of `path` in place of its stars."""
    own = [*path, *["*"] * key.count(".")]
    parts = key.split(".")
    return ".".join(name if part == "*" else part for part, name in zip(parts, own, strict=False))


def known_keys(model: type[Any], prefix: str = "") -> list[str]:
    """Every dotted key of a pydantic model, those of its sections and lists included.

    The star in "runs.*.overrides" stands for a name that the user chooses.
    """
    keys = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        star = "*." if get_origin(field.annotation) is dict else ""
        for part in (field.annotation, *get_args(field.annotation)):
            if hasattr(part, "model_fields"):
                keys += known_keys(part, f"{prefix}{name}.{star}")
    return keys
