"""Runs that were trained elsewhere and are kept with the program, for reports to read.

experiments/studies/recordings/STUDY/RUN/ is a run directory without what only training needs: its
config.yaml, metrics.csv and summary.json, which names the commit and the host.
"""

from __future__ import annotations

from pathlib import Path

from experiments.config.schema import Config
from experiments.paths import RECORDINGS
from experiments.runs.directory import RunDirectory


def is_recorded(path: Path) -> bool:
    """Whether this run directory is one of those that are kept with the program."""
    return path.is_relative_to(RECORDINGS)


def find_recorded(study: str, run: str, config: Config) -> Path | None:
    """The complete recorded run of this config; None where there is none."""
    directory = RunDirectory(RECORDINGS / study / run)
    if not directory.is_complete():
        return None
    return None if directory.differences(config) else directory.path
