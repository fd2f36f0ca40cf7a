"""The software and the machine that produced a result."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from experiments.paths import ROOT
from experiments.runs.provenance import code_digest

NAME = "rnn-experiments"
PACKAGES = ("numpy", "tensorflow", "tf-keras")


def environment() -> dict[str, Any]:
    """Versions, host, commit, and a digest of the code, as JSON values."""
    return {**machine(), **code()}


def code() -> dict[str, Any]:
    """The commit and the digest of the code."""
    return {"git_commit": git_commit(), "code": code_digest()}


def machine() -> dict[str, Any]:
    """Versions and host."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "host": {
            "name": platform.node(),
            "machine": platform.machine(),
            "system": platform.platform(),
        },
    }


def version() -> str:
    """The name and version of the program and, in a checkout, its commit."""
    commit = git_commit()
    text = f"{NAME} {metadata.version(NAME)}"
    return f"{text} (commit {commit})" if commit else text


@cache
def git_commit() -> str | None:
    """The commit of this program, with "-dirty" if files differ; None outside a checkout.

    As it was when it was first asked for: later changes are not in what this process runs.
    """
    if not (ROOT / ".git").exists():  # or git would name the commit of an enclosing repository
        return None
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(ROOT), "-c", f"safe.directory={ROOT}"]
    command += ["describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"]
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True, env=own
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def describe_environment(environment: Mapping[str, Any]) -> dict[str, str]:
    """Versions, commit and host as rows of a table."""
    versions, host = environment["versions"], environment["host"]
    return {
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": environment["git_commit"] or "not in a git checkout",
        "host": f"{host['name']}, {host['system']}",
    }
