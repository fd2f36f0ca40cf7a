"""Experiments on recurrent networks: connects data and graphs.

For Python users (docs/python.md):

    load_config   the checked config of an experiment
    train         train an experiment, as a run in a run directory
    load_runs     runs as a pandas DataFrame
    read_run      one run directory as an object
    build_graph   the TensorFlow graph of a config
    Trainer       train update by update, without a run directory

Names are loaded on first use, so `import experiments` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.config.compose import load_config
    from experiments.errors import Interrupted, RunError, UsageError
    from experiments.runs.frame import load_runs
    from experiments.runs.run import read_run
    from experiments.training.interactive import Trainer, build_graph, train

__all__ = [
    "Interrupted", "RunError", "Trainer", "UsageError", "build_graph", "load_config", "load_runs",
    "read_run", "train",
]  # fmt: skip

_HOMES = {
    "Interrupted": "experiments.errors",
    "RunError": "experiments.errors",
    "Trainer": "experiments.training.interactive",
    "UsageError": "experiments.errors",
    "build_graph": "experiments.training.interactive",
    "load_config": "experiments.config.compose",
    "load_runs": "experiments.runs.frame",
    "read_run": "experiments.runs.run",
    "train": "experiments.training.interactive",
}


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
