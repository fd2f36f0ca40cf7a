"""Data that this project may not ship. Tests that need it are skipped if it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def real_data(name: str) -> Path:
    """A folder of $RNN_DATA, or the test is skipped with the reason."""
    folder = os.environ.get("RNN_DATA")
    if not folder:
        pytest.skip(f"needs {name}/ in the folder that the environment variable RNN_DATA names")
    path = Path(folder, name)
    if not path.is_dir():
        pytest.skip(f"needs the folder {path}")
    return path
