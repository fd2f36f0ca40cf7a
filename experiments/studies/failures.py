"""A claim or a figure that fails must not take the report with it."""

from __future__ import annotations

import traceback

from experiments.interrupts import was_interrupted


def reason_of(error: Exception, debug: bool) -> str:
    """Why it failed, for a line; with the traceback before it if `debug`.

    Raises the error again if it is an interruption that a library has turned into its own.
    """
    if was_interrupted():
        raise error
    if debug:
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error} (--debug shows where)"
