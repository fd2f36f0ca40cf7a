"""Runs of one config on different data: the same path held something else."""

from __future__ import annotations

import json
from collections.abc import Sequence

from experiments.errors import UsageError
from experiments.runs.data_identity import DataIdentity, differences, hashes, read_identity
from experiments.runs.run import Run

KEY = "task.data"  # beside the keys of the config, where the data differ


def check_same_data(runs: Sequence[Run]) -> None:
    """Raise UsageError, naming the file, where runs of one task were trained on different data."""
    first: dict[str, tuple[Run, DataIdentity]] = {}
    for run in runs:
        known = read_identity(run.directory)
        if known is None:
            continue
        earlier, expected = first.setdefault(_task_of(run), (run, known))
        for difference in differences(expected.sources, known.sources):
            raise UsageError(
                f"{run.directory.path}: trained on other data than {earlier.directory.path}: "
                f"{difference}; --data-changed compares them as runs of different data"
            )


def differing_data(runs: Sequence[Run]) -> list[dict[str, str]]:
    """For each run its data's hashes under KEY, if another run of its task has others."""
    known = [read_identity(run.directory) for run in runs]
    seen: dict[str, set[str]] = {}
    for run, identity in zip(runs, known, strict=True):
        if identity is not None:
            seen.setdefault(_task_of(run), set()).add(hashes(identity.sources))
    return [
        {KEY: hashes(identity.sources)}
        if identity is not None and len(seen[_task_of(run)]) > 1
        else {}
        for run, identity in zip(runs, known, strict=True)
    ]


def _task_of(run: Run) -> str:
    """The task's config as text."""
    return json.dumps(run.config.as_dict()["task"])
