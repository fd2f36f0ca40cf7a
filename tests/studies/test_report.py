"""experiments/studies/report.py: the pictures, the tables and the report of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pytest
from cycler import cycler

from experiments.studies.report import draw
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import FigureSpec
from tests.handmade import LATE, SOON, finished_run

HOSTILE: Any = {  # settings of a matplotlibrc that would change or break a picture
    "text.usetex": True, "backend": "pdf", "savefig.format": "svg", "savefig.bbox": "tight",
    "figure.figsize": [1.0, 1.0], "axes.grid": True, "axes.facecolor": "black", "font.size": 40.0,
    "lines.linewidth": 9.0, "axes.prop_cycle": cycler(color=["white"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["curves", "final_losses", "time_per_step", "by_depth"])
def test_a_user_s_settings_change_no_figure_of_a_study(kind: str, tmp_path: Path) -> None:
    runs = StudyRuns({"a": finished_run(tmp_path, "a", [SOON, LATE], learned=[True, False])})
    arguments = {"labels": {"a": "a $x_ run"}} | ({"lag": 17} if kind == "by_depth" else {})
    content = {"id": "f", "kind": kind, "title": "t", "caption": "c", "arguments": arguments}
    spec = FigureSpec.model_validate(content)
    pictures: list[bytes] = []
    nothing: Any = {}
    for settings in (nothing, HOSTILE):
        with matplotlib.rc_context(settings):
            folder = tmp_path / str(len(pictures))
            folder.mkdir()
            assert draw(spec, runs, folder)
            pictures.append((folder / "f.png").read_bytes())
    assert pictures[0] == pictures[1]
