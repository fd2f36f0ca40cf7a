"""This program's updates, executed as `train` would execute them."""

from __future__ import annotations

from contextlib import ExitStack

from experiments.benchmarks.peers.serve import Updates, serve
from experiments.benchmarks.peers.work import Work
from experiments.training.execution import prepared
from experiments.training.workload import make_workload


def open_updates(work: Work, variant: str) -> Updates:
    """Updates of the config itself; the variant is its `execution.xla`."""
    config = work.config(f"execution.xla={variant}")
    config = prepared(config, make_workload(config))
    from experiments.training.pace import training_call  # imports TensorFlow

    # The session stays open as long as the process.
    call = training_call(ExitStack(), config)
    return Updates(call.train, call.updates)


if __name__ == "__main__":
    serve(open_updates)
