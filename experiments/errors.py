"""Errors that you can act on: one line each, and an exit code."""

from __future__ import annotations


class ExperimentError(Exception):
    """Base of every error whose message is enough, without a traceback."""

    exit_code = 1


class UsageError(ExperimentError):
    """The command, a config or a path is wrong."""

    exit_code = 2


class InUseError(UsageError):
    """Another process holds the run directory."""


class RunError(ExperimentError):
    """A run failed, or a claim does not hold. Everything else is kept."""


class Interrupted(ExperimentError):
    """The run was stopped on request, after writing its checkpoint."""

    exit_code = 130
