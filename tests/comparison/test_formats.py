"""experiments/comparison/formats.py: the table as Markdown, LaTeX and JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from experiments.comparison.compare import CompareOptions, compare
from experiments.runs.metrics import MetricsFile
from tests.comparison.by_hand import NARROW, WIDE, add
from tests.handmade import finished_run


class TestFormats:
    @pytest.fixture
    def runs(self, tmp_path: Path) -> Path:
        add(tmp_path / "runs", "wide", (0.40, 0.42), WIDE)
        add(tmp_path / "runs", "narrow", (0.50, 0.52), NARROW)
        return tmp_path / "runs"

    def printed(self, runs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
        compare([runs], CompareOptions(format=name))
        return capsys.readouterr().out

    def test_json_has_null_for_a_metric_that_is_not_finite(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A gradient may be too large for the square of its norm while the loss is finite."""
        run = finished_run(tmp_path, "run", [[0.5], [0.4]])
        rows = [row._replace(metrics={"gradient_norm": math.inf}) for row in run.rows]
        file = MetricsFile(run.directory.metrics)
        file.start()
        file.append(rows)
        compare([tmp_path], CompareOptions(by="gradient_norm", format="json"))
        (group,) = json.loads(capsys.readouterr().out)["groups"]
        assert group["gradient_norm"] is None
        assert group["final_loss"] == pytest.approx(0.45)

    def test_json_has_every_number(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = json.loads(self.printed(runs, "json", capsys))
        assert found["ranked_by"] == "train"
        first, second = found["groups"]
        assert first["num_steps"] == 54
        assert first["final_loss"] == pytest.approx(0.41)
        assert (first["standing"], second["standing"]) == ("best", "worse")
        assert first["run_directories"] == [str(runs / "wide")]

    def test_markdown_is_a_table(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lines = self.printed(runs, "md", capsys).splitlines()
        assert lines[0].startswith("| num_steps | seeds | final loss |")
        assert lines[2].startswith("| 54 | 2 | **0.4100 ± 0.1271** |")
        assert len(lines) == 4

    def test_latex_has_mathematics(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        text = self.printed(runs, "latex", capsys)
        assert r"num\_steps & seeds" in text
        assert r"54 & 2 & \textbf{$0.4100 \pm 0.1271$}" in text
        assert text.count(r"\\") == 3
