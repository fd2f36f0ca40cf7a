"""Grids of overrides in Hydra's sweep grammar, expanded to every combination."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Quote, QuotedString, RangeSweep
from hydra.errors import HydraException

from experiments.config.compose import parse_override
from experiments.config.renamed import current_key
from experiments.errors import UsageError
from experiments.paths import CONFIGS

# Text that Hydra takes for text without quotes.
PLAIN = re.compile(r"(?!(?i:true|false|null|inf|nan)\Z)[A-Za-z_][A-Za-z0-9_.-]*")


def expand(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """Every combination of the overrides' values; the last key changes fastest.

    Raises UsageError for an invalid override, or one whose values cannot be listed.
    """
    choices = [_values(text) for text in overrides]
    return list(dict.fromkeys(itertools.product(*choices)))


def count_points(overrides: Sequence[str]) -> int:
    """An upper bound on the number of combinations, without making them.

    Raises UsageError for an invalid override.
    """
    return math.prod(_count_values(text) for text in overrides)


def grid_overrides(grid: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """A grid of YAML as overrides. Overrides given beside it replace its keys or add to them."""
    given = {current_key(text.partition("=")[0]) for text in overrides}
    kept = [
        f"{key}={_sweep_text(value)}"
        for key, value in grid.items()
        if current_key(key) not in given
    ]
    return [*kept, *overrides]


def _count_values(text: str) -> int:
    override = parse_override(text)
    if not override.is_sweep_override():
        return 1
    sweep = override.value()
    if isinstance(sweep, RangeSweep):
        start, stop, step = float(sweep.start or 0), float(sweep.stop or 0), float(sweep.step)
        return max(0, math.ceil((stop - start) / step)) if step else 1  # Hydra rejects a step of 0
    if isinstance(sweep, ChoiceSweep):
        return len(sweep.list)
    return 1  # glob(…), the files of a folder


def _values(text: str) -> list[str]:
    """key=value for each value of an override."""
    override = parse_override(text)
    if not override.is_sweep_override():
        return [text]
    key = override.get_key_element()
    if not override.is_discrete_sweep():
        raise UsageError(f"{key}: expected values that can be listed, got {text.partition('=')[2]}")
    try:
        values = [f"{key}={value}" for value in _listed(text)]
    except (HydraException, ValueError) as error:
        raise UsageError(f"{key}: {error}") from error
    if not values:
        raise UsageError(f"{key}: no value in {text.partition('=')[2]}")
    return values


def _listed(text: str) -> Iterator[str]:
    """The values of an override. glob(…) selects files of configs/."""
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        loader = GlobalHydra.instance().config_loader()
        (override,) = OverridesParser.create(loader).parse_overrides([text])
        for value in map(str, override.sweep_string_iterator()):
            yield value.lower() if value in ("True", "False") else value  # the spelling of `train`


def _sweep_text(value: Any) -> str:
    """A list, a single value or a string in Hydra's grammar, as the text of an override."""
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    """A value of YAML in Hydra's grammar."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return str(QuotedString(value, Quote.single).with_quotes())
    return str(value)
