"""summary.json: what a run came to, and on what it ran."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from data.tasks import make_task
from experiments.checkpoints import Position
from experiments.config import Config
from experiments.curves import final_losses
from experiments.execution import total_updates, uses_xla
from experiments.metrics import read_metrics
from experiments.run_directory import RunDirectory
from experiments.statistics import mean_interval

PACKAGES = ("numpy", "tensorflow", "tf-keras")


def summarize(
    config: Config, directory: RunDirectory, status: str, positions: list[Position]
) -> dict[str, Any]:
    """The summary of a run as its metrics.csv stands now."""
    rows = read_metrics(directory.metrics) if directory.metrics.exists() else []
    finals = final_losses(rows, total_updates(config))
    interval = mean_interval(list(finals.values())) if finals else None
    return {
        "status": status,
        "name": config.name,
        "final_loss": {
            "mean": interval.mean if interval else None,
            "low": _number(interval.low) if interval else None,
            "high": _number(interval.high) if interval else None,
            "per_seed": {str(seed): loss for seed, loss in finals.items()},
            "unit": "nats per time step, mean over the last tenth of training",
        },
        "seeds": {str(position.seed): position.status for position in positions},
        "updates": {str(position.seed): position.updates for position in positions},
        "seconds": sum(position.seconds for position in positions),
        "floors": make_task(config.task).floors(),
        "xla": uses_xla(config),
        **environment(),
    }


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
    """The commit of this program, "-dirty" where files differ from it; None outside of git."""
    root = Path(__file__).resolve().parent.parent
    command = [
        "git",
        "-C",
        str(root),
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


def _number(value: float) -> float | None:
    """JSON has no nan."""
    return value if value == value else None
