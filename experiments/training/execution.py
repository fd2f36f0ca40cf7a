"""How a run is executed: the section `execution` of its config, with each auto decided.

It is decided when the run begins, and recorded in summary.json. A run that is resumed keeps it,
because other settings round otherwise, and it must compute what it computed before.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from experiments.config.schema import Config
from experiments.errors import RunError
from experiments.runs.directory import RunDirectory
from experiments.training.cores import cores_of_this_process
from experiments.training.workload import Workload
from experiments.training.xla import has_products_at_once, is_wide, uses_xla
from rnn_graphs.config import ExecutionConfig

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"  # TensorFlow reads it when it is imported
MOST_THREADS = 2  # of one session; what more would gain has not been measured


def executed(config: Config, workload: Workload, directory: RunDirectory) -> Config:
    """The config with its execution decided: as the run in the directory began, or anew."""
    begun = began(config, directory)
    return config.model_copy(update={"execution": decide(begun, workload)})


def decide(config: Config, workload: Workload) -> ExecutionConfig:
    """The config's execution, without an auto."""
    execution, wide = config.execution, is_wide(config, workload.task)
    chosen: dict[str, Any] = {}
    if execution.onednn == "auto":
        there = imported_with_onednn()  # which can no longer be changed
        chosen["onednn"] = _switch(wide if there is None else there)
    if execution.threads == "auto":
        chosen["threads"] = _threads(config) if wide and has_products_at_once(config) else 1
    decided = execution.model_copy(update=chosen)
    xla = uses_xla(config.model_copy(update={"execution": decided}), workload)
    return decided.model_copy(update={"xla": _switch(xla)})


def wants_onednn(config: Config, workload: Workload, directory: RunDirectory) -> bool:
    """Whether a process of its own imports TensorFlow with oneDNN to train in this directory."""
    wanted = began(config, directory).execution.onednn
    return is_wide(config, workload.task) if wanted == "auto" else wanted == "on"


def prepared(config: Config, workload: Workload) -> Config:
    """The config with its execution decided, and this process prepared for it.

    For what trains without a run directory. Raises RunError as `prepare_process`.
    """
    execution = decide(config, workload)
    prepare_process(execution)
    return config.model_copy(update={"execution": execution})


def recorded(execution: ExecutionConfig) -> dict[str, Any]:
    """What summary.json holds of it."""
    return execution.model_dump(mode="json", include={"xla", "onednn", "threads"})


def prepare_process(execution: ExecutionConfig) -> None:
    """Have TensorFlow imported with or without oneDNN.

    Raises RunError if this process has imported it the other way.
    """
    wanted = execution.onednn == "on"
    there = imported_with_onednn()
    if there is None:
        os.environ[ONEDNN] = str(int(wanted))
    elif there != wanted:
        raise RunError(
            f"execution.onednn is {_switch(wanted)}, but this process has imported TensorFlow with "
            f"oneDNN {_switch(there)}, and cannot change that; use a process of its own"
        )


def imported_with_onednn() -> bool | None:
    """Whether this process has imported TensorFlow with oneDNN; None if it has not imported it."""
    module = sys.modules.get("rnn_graphs.tf1")
    return None if module is None else bool(module.HAS_ONEDNN)


def began(config: Config, directory: RunDirectory) -> Config:
    """The config with the execution that the run in the directory began with, where it is known."""
    if not directory.config.exists():
        return config
    there = directory.read_config().execution
    summary = directory.read_summary()
    chosen: dict[str, Any]
    if not directory.writes("execution.onednn"):  # an earlier version began it
        chosen = {"onednn": "off"}
        if isinstance(summary.get("xla"), bool):
            chosen["xla"] = _switch(summary["xla"])
    else:
        chosen = summary.get("execution") or {}
    return config.model_copy(update={"execution": there.model_copy(update=chosen)})


def _threads(config: Config) -> int:
    """Threads of each session of such a model: the cores that its seeds leave to each."""
    cores = cores_of_this_process()
    return min(cores // min(len(config.seeds), cores), MOST_THREADS)


def _switch(on: bool) -> str:
    return "on" if on else "off"
