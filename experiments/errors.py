"""Errors that a user can act on: one line each, and an exit code."""

from __future__ import annotations


class UsageError(Exception):
    """The command, a config or a path is wrong. Exit code 2."""

    exit_code = 2


class InUseError(UsageError):
    """Another process holds the run directory."""


class RunError(Exception):
    """A run failed, or a claim did not hold; everything else is kept. Exit code 1."""

    exit_code = 1


class Interrupted(Exception):
    """The user stopped the run; its checkpoint is written. Exit code 130."""

    exit_code = 130
