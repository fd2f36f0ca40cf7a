"""A style or a cell is one entry in one table: the whole program finds what is added there."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.credit import credit
from experiments.gradients.measurement import GradientEstimate, Measured, styles
from experiments.gradients.plots import figure
from experiments.training.runner import train
from experiments.training.workload import make_workload
from experiments.training.xla import uses_xla
from rnn_graphs.cells.scratch import ScratchCell
from rnn_graphs.cells.traits import CELLS, Cell
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Step, StepModel, Window, gated
from rnn_graphs.truncation.style import Style
from rnn_graphs.truncation.styles import STYLES
from rnn_graphs.unrolls import UnrollFunction
from tests.conftest import ROOT, SMALL, metrics_of, summary_of
from tests.test_imports import PROGRAM

FADING = ("truncation.kind=fading", "truncation.depth=2")
SHORT = (*SMALL, "training.epochs=1", "logging.every=10", "task.size=4000")


def fading_step(
    model: StepModel, unroll: UnrollFunction, truncation: TruncationConfig, window: Window
) -> Step:
    """Each boundary divides the error by depth."""
    assert truncation.depth is not None
    gates = tf.fill([int(size) for size in window.inputs.shape[:2]], 1 / truncation.depth)
    return gated(model, unroll, window, tf.cast(gates, model.dtype))


def fading_credit(t: Any, s: Any, truncation: TruncationConfig, _num_steps: int) -> Any:
    assert truncation.depth is not None
    return 1.0 / truncation.depth ** np.maximum(t - s, 0)


@pytest.fixture
def fading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A style that no file of the program knows of."""
    style = Style(
        fading_credit,
        fading_step,
        needs=("depth",),
        xla_pays=False,
        compared=lambda _: [{"depth": 2}],
        compared_as="divided by 2",
        axis_depth=lambda truncation, _: 4.0,
        axis_meaning="a place of its own",
    )
    monkeypatch.setitem(STYLES, "fading", style)


def config_of(*overrides: str) -> Config:
    return load_config("r2rt_n5", [*SHORT, *overrides])


@pytest.mark.usefixtures("fading")
class TestANewStyle:
    def test_its_keys_are_checked(self) -> None:
        assert config_of(*FADING).truncation.depth == 2
        with pytest.raises(UsageError, match="fading needs depth"):
            config_of("truncation.kind=fading")
        with pytest.raises(UsageError, match=r"context is for .*; fading does not use it"):
            config_of(*FADING, "truncation.context=true")

    def test_messages_list_it(self) -> None:
        with pytest.raises(UsageError, match=r"expected one of full, .*, fading; got 'no'"):
            config_of("truncation.kind=no")
        with pytest.raises(ValidationError, match=r"depth is for .*, fading; full does not"):
            TruncationConfig(kind="full", depth=3)

    def test_its_measured_credit_is_its_definition(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        credit(config_of(*FADING, "graph.num_steps=4"), tmp_path)
        assert "equal to the definition" in capsys.readouterr().out
        lags = np.arange(4)[:, None] - np.arange(4)
        written = np.loadtxt(tmp_path / "credit.csv", delimiter=",")
        np.testing.assert_array_equal(written, np.where(lags < 0, 0, 0.5 ** np.abs(lags)))

    def test_gradients_compares_and_draws_it(self) -> None:
        found = [truncation for truncation in styles(8) if truncation.kind == "fading"]
        assert found == [TruncationConfig(kind="fading", depth=2)]
        one = np.ones([1, 1, 1, 1])
        picture = figure(
            "t", Measured([0], [GradientEstimate(found[0])], np.ones([1, 1, 1, 8]), one, one)
        )
        error = picture.axes[1]
        assert error.get_xlabel() == "depth (steps); fading: a place of its own"
        texts = [text.get_text() for text in picture.legends[0].get_texts()]
        assert "fading (divided by 2)" in texts
        assert error.lines[0].get_xdata()[0] == pytest.approx(4, rel=0.1)  # type: ignore[index]

    def test_xla_is_used_as_its_entry_says(self) -> None:
        config = config_of("execution.xla=auto")
        many = make_workload(config)._replace(updates=10**7)
        assert uses_xla(config, many)
        assert not uses_xla(config_of(*FADING, "execution.xla=auto"), many)

    def test_it_trains(self, tmp_path: Path, only_training: None) -> None:
        for name, overrides in (("fading", FADING), ("full", ("truncation.kind=full",))):
            train(config_of(*overrides), tmp_path / name)
            assert summary_of(tmp_path / name)["status"] == "complete"
        losses = [[row.loss for row in metrics_of(tmp_path / name)] for name in ("fading", "full")]
        assert len(losses[0]) == len(losses[1]) == 4
        assert losses[0] != losses[1]  # the step of its entry was used


class LeakyCell(ScratchCell):
    """h_t = (h_{t−1} + tanh([x_t, h_{t−1}] W + b)) / 2."""

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        new, _ = super().call(inputs, state)
        state = (state + new) / 2
        return state, state


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that no file of the program knows of."""

    def make(config: Any, state_size: int, dtype: Any, product: Any) -> LeakyCell:
        return LeakyCell(state_size, config.activation, dtype, product)

    monkeypatch.setitem(CELLS, "leaky", Cell(make, kept=("W",)))


@pytest.mark.usefixtures("leaky")
class TestANewCell:
    def test_its_keys_are_checked(self) -> None:
        assert config_of("model.cell=leaky", "model.activation=relu").model.cell == "leaky"
        with pytest.raises(UsageError, match="peepholes is for lstm; leaky does not use it"):
            config_of("model.cell=leaky", "model.peepholes=true")
        with pytest.raises(UsageError, match="only scratch can take that; leaky has"):
            config_of("model.cell=leaky", "model.activation=crelu")

    def test_messages_list_it(self) -> None:
        with pytest.raises(
            ValidationError,
            match=r"expected one of scratch, .*, leaky, or a cell of --cells FILE.py; got 'no'",
        ):
            ModelConfig(cell="no", state_size=3)

    def test_it_trains(self, tmp_path: Path, only_training: None) -> None:
        losses = {}
        for cell in ("leaky", "scratch"):
            train(config_of(f"model.cell={cell}"), tmp_path / cell)
            assert summary_of(tmp_path / cell)["status"] == "complete"
            losses[cell] = [row.loss for row in metrics_of(tmp_path / cell)]
        assert len(losses["leaky"]) == 4
        assert losses["leaky"] != losses["scratch"]


def names_compared(path: Path) -> set[str]:
    """The strings that a file compares something with, or matches something against."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Compare | ast.MatchValue):
            found |= {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return {value for value in found if isinstance(value, str)}


# The study's own names of what it measures, of which two are also styles.
STUDIES = ROOT / "experiments" / "studies"


def test_nothing_else_asks_for_the_name_of_a_style_or_a_cell() -> None:
    for path in PROGRAM:
        if not path.is_relative_to(STUDIES):
            assert not names_compared(path) & {*STYLES, *CELLS}, path


def test_influence_balancing_is_named_where_it_belongs_alone() -> None:
    expected = {
        "data/tasks/influence_balancing.py", "rnn_graphs/cells/influence_balancing.py",
        "rnn_graphs/cells/derivatives.py", "rnn_graphs/cells/layouts.py",
        "rnn_graphs/cells/traits.py", "rnn_graphs/heads.py",
    }  # fmt: skip
    named = {
        str(path.relative_to(ROOT))
        for path in PROGRAM
        if "influence_balancing" in path.read_text("utf-8") and not path.is_relative_to(STUDIES)
    }
    assert named == expected
