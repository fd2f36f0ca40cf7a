"""Jobs and messages, the plain values sent between driver, workers and child processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

# JSON values: the kind, and fields that depend on the kind, the name of the run among them.
Message = dict[str, Any]
Send = Callable[[Message], None]


class Job(NamedTuple):
    """A run that a worker is asked to train."""

    name: str
    config: dict[str, Any]
    directory: str
    data_changed: bool = False  # whether it may continue on other data than it began on


class JobBatch(NamedTuple):
    """Jobs that share a graph, and the settings of their process."""

    jobs: tuple[Job, ...]
    folder: str  # to run in, because paths of data files may be relative to it
    children: str  # name of the worker plugin that starts the process
    onednn: bool  # whether TensorFlow is imported with oneDNN
    cells: str | None  # the file of the user's own cell, which the jobs need


class JobEnded(NamedTuple):
    """The end of a job. The reason is empty if its run is complete."""

    name: str
    reason: str


def began(name: str) -> Message:
    """A child process has started the run."""
    return {"kind": "began", "name": name}


def entered(name: str, stage: str) -> Message:
    """The run has entered a stage, such as "compile"."""
    return {"kind": "entered", "name": name, "stage": stage}


def advanced(name: str, what: str, done: int, total: int, loss: float) -> Message:
    """The run has made `done` of `total` updates, all seeds included; `what` names the seed."""
    return {
        "kind": "advanced", "name": name,
        "what": what, "done": done, "total": total, "loss": loss,
    }  # fmt: skip


def ended(name: str, reason: str, loss: float | None, seconds_a_seed: float | None) -> Message:
    """The run has ended; it is complete if the reason is empty.

    `loss` and `seconds_a_seed` (of training) are means over the seeds of a complete run.
    """
    return {
        "kind": "ended", "name": name,
        "reason": reason, "loss": loss, "seconds_a_seed": seconds_a_seed,
    }  # fmt: skip


def forked(pid: int) -> Message:
    """A zygote has started the process of a batch."""
    return {"kind": "forked", "pid": pid}


def exited(code: int) -> Message:
    """That process has ended; a negative code is the number of the signal that killed it."""
    return {"kind": "exited", "code": code}
