"""summary.json: what a run came to, and on what it ran."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from typing import Any

from experiments.config.schema import Config
from experiments.paths import ROOT
from experiments.runs.checkpoints import Position
from experiments.runs.curves import final_losses
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import read_metrics
from experiments.statistics.intervals import mean_interval
from experiments.training.workload import Workload
from experiments.training.xla import uses_xla

PACKAGES = ("numpy", "tensorflow", "tf-keras")


def summarize(
    config: Config,
    workload: Workload,
    directory: RunDirectory,
    status: str,
    positions: list[Position],
) -> dict[str, Any]:
    """The summary of a run as its metrics.csv stands now."""
    rows = read_metrics(directory.metrics) if directory.metrics.exists() else []
    finals = final_losses(rows, workload.updates)
    interval = mean_interval(list(finals.values())) if finals else None
    return {
        "status": status,
        "name": config.name,
        "final_loss": {
            "mean": interval.mean if interval else None,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "per_seed": {str(seed): loss for seed, loss in finals.items()},
            "unit": "nats per time step, mean over the last tenth of training",
        },
        "seeds": {str(position.seed): position.status for position in positions},
        "updates": {str(position.seed): position.updates for position in positions},
        "seconds": sum(position.seconds for position in positions),
        "total_updates": workload.updates,
        "validation": _validation(positions),
        "floors": workload.task.floors(),
        "xla": uses_xla(config, workload.updates),
        **environment(),
    }


def _validation(positions: list[Position]) -> dict[str, Any] | None:
    """The least validation loss of each seed; None where nothing was validated."""
    best = {str(p.seed): p.best_loss for p in positions if p.best_loss is not None}
    if not best:
        return None
    mean, low, high = mean_interval(list(best.values()))
    return {"best_loss": {"mean": mean, "low": low, "high": high}, "per_seed": best}


def environment() -> dict[str, Any]:
    """Versions, commit and host."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "git_commit": git_commit(),
        "host": {
            "name": platform.node(),
            "machine": platform.machine(),
            "system": platform.platform(),
        },
    }


def git_commit() -> str | None:
    """The commit of this program, "-dirty" if files differ from it; None if it is no checkout."""
    if not (ROOT / ".git").exists():  # git would name the commit of a repository around it
        return None
    command = [
        "git",
        "-C",
        str(ROOT),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude",
        "*",
    ]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
