"""Folders of the project, computed once from the location of this file."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # `python -m experiments.…` needs it on its path
CONFIGS = ROOT / "configs"
RECORDINGS = ROOT / "experiments" / "studies" / "recordings"
TEMPLATES = ROOT / "experiments" / "reporting" / "templates"

RUNS = Path("runs")  # relative to the current folder, as is REPORTS
REPORTS = Path("reports")
