"""experiments/gradients/state_memory.py: how much the state knows of an earlier input."""

from __future__ import annotations

import pytest

from experiments.gradients.state_memory import StateBatchReader
from experiments.reporting.claims import NotRun
from experiments.training.workload import make_workload
from tests.conftest import small_config


def test_data_too_short_to_read_are_named() -> None:
    config = small_config("task.size=9999")
    with (
        StateBatchReader(config, make_workload(config).task) as reader,
        pytest.raises(NotRun, match=r"expected 10,000 symbols of fresh data, .*; found 9,999"),
    ):
        reader.memory({}, seed=0, lag=3)
