"""The one place that knows which tasks there are."""

from __future__ import annotations

from data.binary_dependency import BinaryDependency
from data.config import TaskConfig
from data.task import Task


def make_task(config: TaskConfig) -> Task:
    """The task that the config names."""
    return BinaryDependency(config)
