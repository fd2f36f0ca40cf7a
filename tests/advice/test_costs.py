"""The timing of settings."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest

from experiments.advice import costs
from experiments.advice.settings import Setting
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.training.pace import Call
from experiments.training.workload import make_workload
from experiments.training.xla import uses_xla
from rnn_graphs.config import TruncationConfig

TOO_WIDE = Setting(10**6, TruncationConfig(kind="tf_style"))
PLAIN = Setting(5, TruncationConfig(kind="tf_style"))
STRICT = Setting(20, TruncationConfig(kind="true_bptt", depth=20, context=True))


@pytest.mark.parametrize(("symbols", "own"), [(2_000_000, "off"), (100_000_000, "on")])
def test_settings_are_timed_with_xla_or_without_it_alike(
    symbols: int, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a short run, compiling would pay for true_bptt alone."""
    config = load_config("r2rt_n5", [f"task.size={symbols}"])
    built: list[Config] = []

    def call(_stack: Any, wanted: Config, _symbols: int) -> Call:
        built.append(wanted)
        return Call(mock.Mock(), lambda _: time.sleep(1e-3), updates=1, symbols=1000)

    monkeypatch.setattr(costs, "training_call", call)
    expected = dict.fromkeys((PLAIN, STRICT), 1e-6)
    assert {*costs.time_settings(config, expected, time.monotonic() + 1)} == {PLAIN, STRICT}
    assert [each.execution.xla for each in built] == [own, own]
    strict = STRICT.applied_to(config)
    assert uses_xla(strict, make_workload(strict))


def test_a_setting_that_the_data_do_not_fill_is_not_timed() -> None:
    config = load_config("r2rt_n5", ["task.size=10000"])
    assert costs.time_settings(config, {TOO_WIDE: 1e-6}, time.monotonic() + 1) == {}


def test_a_setting_is_timed_without_the_depth_that_only_the_configs_own_chooses() -> None:
    config = load_config(
        "r2rt_n5",
        [
            "graph.num_steps=20",
            "truncation={kind: adaptive, tolerance: 0.5, least: 1, most: 20}",
            "logging.metrics=[chosen_depth]",
        ],
    )
    assert {*costs.time_settings(config, {PLAIN: 1e-6}, time.monotonic() + 1)} == {PLAIN}
