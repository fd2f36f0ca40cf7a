"""An argument parser with one-line errors, and the types of option values."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the nearest choice in place of all of them, where one is near."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError:
            from experiments.config.catalog import nearest

            near = nearest(str(value), map(str, action.choices or ()))
            if not near:
                raise
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{near}") from None

    def error(self, message: str) -> NoReturn:
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            name = missing.split(", ")[0]
            self.show_names(name)
            message = f"expected {'a' if name[0] not in 'aeiou' else 'an'} {name}"
        self.exit(2, f"error: {message} (see `{self.prog} --help`)\n")

    def show_names(self, argument: str) -> None:
        """Print the names that an argument accepts, if they are listed anywhere."""
        kinds = {"experiment": ["experiment"], "sweep": ["sweep", "experiment"], "study": ["study"]}
        if argument in kinds:
            from experiments.commands import print_names

            print_names(kinds[argument])
            sys.stdout.flush()  # so that the names come before the error


class ShowVersion(argparse.Action):
    """--version: the version of the package and, in a checkout, the commit."""

    def __init__(self, option_strings: Sequence[str], dest: str, **keywords: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **keywords)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from experiments.runs.environment import version

        print(version())
        parser.exit()


def path(text: str) -> Path:
    """A path; ~ is the home folder, which the shell leaves alone in --run-dir=~/runs."""
    if not text:
        raise _expected("a path", text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~nobody
        raise _expected("a path", text) from error


def count(text: str) -> int:
    """An integer of at least 1."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """An integer of at least 0."""
    return _whole(text, 0)


def duration(text: str) -> float:
    """Seconds, from a number and a unit: 90s, 30m or 2h."""
    units = {"s": 1, "m": 60, "h": 3600}
    seconds = _number(text[:-1]) * units.get(text[-1:], 0)
    if not 0 < seconds < math.inf:
        raise _expected("a time such as 90s, 30m or 2h", text)
    return seconds


def temperature(text: str) -> float:
    """A finite number of at least 0."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise _expected("a number of at least 0", text)
    return value


def share(text: str) -> float:
    """A number between 0 and 1."""
    value = _number(text)
    if not 0 < value < 1:
        raise _expected("a number between 0 and 1", text)
    return value


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise _expected(f"a whole number of at least {least}", text)
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _expected(what: str, found: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"expected {what}, got {found!r}")
