"""Completion of names and config keys in the shell, by argcomplete.

Everything slow is imported when a key is completed, and not before.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from experiments.config.catalog import names

Completer = Callable[..., Iterable[str]]
ANY = "r2rt_n5"  # whose keys stand for those of a sweep's or a study's runs


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process, where the shell asks for completions."""
    import argcomplete

    argcomplete.autocomplete(parser, always_complete_options=False)


def names_of(*kinds: str) -> Completer:
    """Completes the names of experiments, sweeps or studies, and files."""
    from argcomplete.completers import FilesCompleter

    files = FilesCompleter(("yaml", "yml"))

    def completer(prefix: str, **context: object) -> list[str]:
        known = [name for kind in kinds for name in names(kind) if name.startswith(prefix)]
        return [*known, *files(prefix, **context)]

    return completer


def keys(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Completes the config keys of the experiment, as `key=`."""
    from experiments.config.compose import load_config
    from experiments.config.flat import flatten
    from experiments.errors import UsageError

    given = getattr(parsed_args, "experiment", None) or getattr(parsed_args, "sweep", None)
    try:
        config = load_config(given or ANY)
    except UsageError:  # it is a sweep, or is not written to its end
        config = load_config(ANY)
    found = {".".join(_words(key)) for key in flatten(config.as_dict())}
    return sorted(f"{key}=" for key in found if key.startswith(prefix))


def _words(key: str) -> list[str]:
    """The parts of a key down to the first list."""
    parts = key.split(".")
    numbers = [place for place, part in enumerate(parts) if part.isdigit()]
    return parts[: numbers[0]] if numbers else parts
