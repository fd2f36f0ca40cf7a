"""Completion of names and config keys in the shell, by argcomplete.

Slow modules are imported only when a key is completed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from experiments.config.catalog import names

Completer = Callable[..., Iterable[str]]
ANY = "r2rt_n5"  # its keys are offered for sweeps and studies


def complete(parser: argparse.ArgumentParser) -> None:
    """Print the completions and end the process if the shell asked for them."""
    import argcomplete

    argcomplete.autocomplete(parser, always_complete_options=False)


def names_of(*kinds: str) -> Completer:
    """A completer of names of these kinds, and of YAML files."""
    from argcomplete.completers import FilesCompleter

    files = FilesCompleter(("yaml", "yml"))

    def completer(prefix: str, **context: object) -> list[str]:
        known = [name for kind in kinds for name in names(kind) if name.startswith(prefix)]
        return [*known, *files(prefix, **context)]

    return completer


def keys(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The config keys of the experiment that begin with `prefix`, as `key=`."""
    from experiments.config.compose import load_config
    from experiments.config.flat import flatten
    from experiments.errors import UsageError

    given = getattr(parsed_args, "experiment", None) or getattr(parsed_args, "sweep", None)
    try:
        config = load_config(given or ANY)
    except UsageError:  # a sweep, or a name that is not complete yet
        config = load_config(ANY)
    found = {".".join(_words(key)) for key in flatten(config.as_dict())}
    return sorted(f"{key}=" for key in found if key.startswith(prefix))


def _words(key: str) -> list[str]:
    """The parts of a key down to the first list."""
    parts = key.split(".")
    numbers = [place for place, part in enumerate(parts) if part.isdigit()]
    return parts[: numbers[0]] if numbers else parts
