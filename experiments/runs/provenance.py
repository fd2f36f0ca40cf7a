"""Whether a run was made by the code and the versions that are here now."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from experiments.paths import ROOT

DECISIVE = ("data", "rnn_graphs", "experiments/training")  # the folders that decide a run's numbers
PACKAGES = ("numpy", "tensorflow")


@cache
def code_digest(*more: str) -> str:
    """A digest of the code that decides a run's numbers; comments and docstrings do not count.

    `more` are further folders, of the code that decides something else too.
    """
    digest = hashlib.sha256()
    for path in _sources((*DECISIVE, *more)):
        digest.update(f"{path.relative_to(ROOT)}\n{_meaning(path.read_text('utf-8'))}\n".encode())
    return digest.hexdigest()[:16]


def stale_reason(summary: Mapping[str, Any]) -> str:
    """Why a run that wrote this summary.json is to be trained again; empty: it need not be.

    A summary without a digest of its code is of an earlier version.
    """
    if summary.get("code") is None:
        return "made by an earlier version, which did not record its code"
    if summary["code"] != code_digest():
        return "made by other code"
    for package in PACKAGES:
        then, now = summary.get("versions", {}).get(package), metadata.version(package)
        if then != now:
            return f"made with {package} {then}, here is {now}"
    return ""


def _sources(folders: Sequence[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _meaning(source: str) -> str:
    """The source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
