"""Where things are: computed once, from the place of this file."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # what `python -m experiments.…` needs on its path
CONFIGS = ROOT / "configs"
RECORDINGS = ROOT / "experiments" / "studies" / "recordings"
TEMPLATES = ROOT / "experiments" / "reporting" / "templates"

RUNS = Path("runs")  # below the current folder, as is REPORTS
REPORTS = Path("reports")
