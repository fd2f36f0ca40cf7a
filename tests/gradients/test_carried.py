"""gradients/carried.py: styles with an influence against rtrl."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config.compose import load_config
from experiments.gradients.carried import (
    CarriedGauge,
    compared_with_rtrl,
    fresh_windows,
    open_carried_gauge,
)
from experiments.gradients.during_training import gradients
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from tests.conftest import SMALL

CONFIG = load_config("r2rt_n5", [*SMALL, "graph.num_steps=2", "model.state_size=3"])


def test_what_is_exact_is_rtrl_and_a_window_alone_is_not() -> None:
    work = make_workload(CONFIG)
    with TrainingSession(build(CONFIG, work), 1) as session:
        session.initialize(0)
        variables = session.variables()
    styles = {
        "again": TruncationConfig(kind="rtrl"),
        "snap": TruncationConfig(kind="snap", order=2),
        "full": TruncationConfig(kind="full"),
    }
    windows = fresh_windows(CONFIG, work.task, 0, 4)
    with CarriedGauge(CONFIG, work.task, styles) as gauge:
        found = gauge.measure(variables, windows, 0)
    assert len(found) == 4
    for errors in found:
        assert errors["again"].relative_error < 1e-12
        assert errors["snap"].relative_error < 1e-9  # the second order of a dense cell keeps all
    assert found[0]["full"].relative_error < 1e-12  # before the first window there is nothing
    assert all(errors["full"].relative_error > 1e-3 for errors in found[1:])
    assert all(errors["full"].cosine < 1 for errors in found[1:])


def test_styles_that_the_model_does_not_allow_are_left_out() -> None:
    assert set(compared_with_rtrl(CONFIG)) == {
        "full", "snap (order 1)", "rflo (leak 0.5)", "uoro", "kf_rtrl",
    }  # fmt: skip
    gru = load_config("r2rt_n5", ["model.cell=gru"])
    assert set(compared_with_rtrl(gru)) == set(compared_with_rtrl(CONFIG)) - {"kf_rtrl"}


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("model.layer_norm=true", "model.layer_norm"),
        ("model={cell: gru, layer_norm: true}", "model.layer_norm"),
        ("model={embedding: 3, train_embedding: false}", "model.train_embedding"),
    ],
)
def test_a_model_that_rtrl_cannot_train_is_measured_without_it(
    override: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_config("r2rt_n5", [*SMALL, "training.epochs=1", override])
    gradients(config, tmp_path)
    assert f"not compared with rtrl: {key}: " in capsys.readouterr().out
    assert "to_rtrl" not in (tmp_path / "gradients.csv").read_text()


def test_nothing_is_compared_where_no_state_is_carried() -> None:
    config = load_config("r2rt_n5", [*SMALL, "training.carry_state=false"])
    with open_carried_gauge(config, make_workload(config).task) as gauge:
        assert gauge is None


def test_nothing_is_compared_where_rtrl_does_not_fit() -> None:
    config = load_config("r2rt_n5", [*SMALL, "execution.memory_limit=1.0e-9"])
    with open_carried_gauge(config, make_workload(config).task) as gauge:
        assert gauge is None
