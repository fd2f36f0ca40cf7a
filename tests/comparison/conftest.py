"""Shared by several tests of comparisons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.comparison.by_hand import NARROW, WIDE, add


@pytest.fixture
def overfitted(tmp_path: Path) -> Path:
    """The wide one is better in training and worse in validation, where it gets worse again."""
    add(tmp_path, "wide", (0.30, 0.31), WIDE, valid=[[0.5, 0.45, 0.7], [0.5, 0.46, 0.7]])
    add(tmp_path, "narrow", (0.40, 0.41), NARROW, valid=[[0.5, 0.42, 0.43], [0.5, 0.43, 0.44]])
    return tmp_path
