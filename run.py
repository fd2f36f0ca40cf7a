# PYTHON_ARGCOMPLETE_OK
"""The program: parse the command line, dispatch, turn errors into exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.interrupts import Interruption
    from experiments.output import SafeStream

INTERRUPTED = 130
TRAINING = ("train", "sweep", "reproduce")  # their results are files: output may get lost


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    try:
        from experiments.interrupts import interruption
        from experiments.output import open_standard_descriptors, safe_output

        open_standard_descriptors()
        show_every_character()
        with interruption() as stop, safe_output() as output:
            return _run(arguments, stop, output)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: Sequence[str] | None, stop: Interruption, output: SafeStream) -> int:
    from experiments.arguments import make_parser

    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:  # set by the shell while it completes a line
        from experiments.completion import complete

        complete(parser)
    options, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(options, "overrides") or any(text.startswith("-") for text in rest)):
        getattr(options, "own_parser", parser).error(f"unknown: {' '.join(rest)}")
    if rest:
        options.overrides += rest  # key=value after an option, which argparse leaves over
    if options.command is None:
        parser.print_help()
        return 0
    from experiments import commands
    from experiments.console import quietly

    try:
        command = getattr(commands, options.command)
        if getattr(options, "cells", None):
            from experiments.config.own_cells import register_cells

            register_cells(options.cells)
        with quietly(getattr(options, "quiet", False) or getattr(options, "json", False)):
            code = int(command(options))
        _report_lost(output, options.command)
        return code
    except (Exception, KeyboardInterrupt) as error:
        return _exit_code(error, stop, options.debug)


def _exit_code(error: BaseException, stop: Interruption, debug: bool) -> int:
    """Show an error, and return the exit code for it."""
    from experiments.errors import ExperimentError, Interrupted

    if not isinstance(error, Interrupted) and (stop.raised or isinstance(error, KeyboardInterrupt)):
        show_error(error, "interrupted", debug)
        return INTERRUPTED
    if isinstance(error, ExperimentError):
        show_error(error, str(error), debug)
        return error.exit_code
    hint = "" if debug else " (--debug shows where)"
    show_error(error, f"{type(error).__name__}: {error}{hint}", debug)
    return ExperimentError.exit_code


def _report_lost(output: SafeStream, command: str) -> None:
    """Warn of output that could not be written. Raises RunError if it was the whole result."""
    from experiments.errors import RunError

    lost = output.why_lost()
    if lost and command in TRAINING:
        print(f"warning: standard output: {lost}; log.txt has every line", file=sys.stderr)
    elif lost:
        raise RunError(f"standard output: {lost}")


def show_every_character() -> None:
    """Print characters that the terminal's encoding lacks as escapes such as \\xe9."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show_error(error: BaseException, text: str, debug: bool) -> None:
    """Print one line on stderr, after the traceback with --debug."""
    from experiments.console import plain

    if debug:
        import traceback

        traceback.print_exception(error)
    print(f"error: {plain(text)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
