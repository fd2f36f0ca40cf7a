"""The report of an advice."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from matplotlib.figure import Figure

from experiments.advice import report
from experiments.advice.answer import Advice
from experiments.reporting.style import new_figure


def test_a_picture_that_cannot_be_drawn_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pilot took its whole budget before."""

    def fail(_advice: Advice) -> Figure:
        raise RuntimeError("no font")

    def draw(_advice: Advice) -> Figure:
        return new_figure()

    pictures = [("bad.png", fail, "bad", ""), ("good.png", draw, "good", "")]
    monkeypatch.setattr(report, "_drawings", lambda _: pictures)
    figures = list(report._figures(cast(Advice, None), tmp_path))
    assert [figure.title for figure in figures] == ["good"]
    assert "bad.png: cannot be drawn: RuntimeError: no font" in capsys.readouterr().err
