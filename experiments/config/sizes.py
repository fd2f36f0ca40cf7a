"""The keys of a config that decide how much memory its run takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from experiments.config.flat import flatten
from experiments.config.schema import Config
from experiments.errors import RunError

SECTIONS = ("task", "model", "graph")  # the others size no array
SHOWN = 3


@contextlib.contextmanager
def naming_sizes(config: Config) -> Iterator[None]:
    """Raise RunError, with the largest sizes of the config, where the memory does not suffice."""
    try:
        yield
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        raise RunError(
            f"out of memory{detail}; the largest sizes of the config are {_largest(config)}"
        ) from error


def _largest(config: Config) -> str:
    sizes = {
        key: max(values)
        for key, value in flatten({name: config.as_dict()[name] for name in SECTIONS}).items()
        if (values := [each for each in _listed(value) if type(each) is int])
    }
    largest = sorted(sizes, key=lambda key: sizes[key], reverse=True)[:SHOWN]
    return ", ".join(f"{key} = {sizes[key]:,}" for key in largest)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
