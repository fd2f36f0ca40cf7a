"""Errors that you can act on: one line and an exit code each."""

from __future__ import annotations


class ExperimentError(Exception):
    """Base of all errors that are shown as one line, without a traceback."""

    exit_code = 1


class UsageError(ExperimentError):
    """The command, a config or a path is wrong."""

    exit_code = 2


class InUseError(UsageError):
    """Another process holds the run directory."""


class RunError(ExperimentError):
    """A run failed or a claim does not hold. All other results are kept."""


class Interrupted(ExperimentError):
    """The run stopped on request, after writing its checkpoint."""

    exit_code = 130
