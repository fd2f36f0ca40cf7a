"""A run directory: where one run keeps its config, metrics, checkpoints and summary."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.config.compose import load_yaml, validate
from experiments.config.flat import flatten
from experiments.config.quoting import escaped, unescaped
from experiments.config.schema import Config
from experiments.config.yaml_file import dump_yaml
from experiments.console import finite
from experiments.errors import UsageError
from experiments.runs.files import is_temporary, write_atomic
from experiments.runs.json_file import read_object
from experiments.runs.links import check_links, is_link_of_user, permit_links
from experiments.runs.replacing import FOLDER, is_replaced, move_aside, remove_moved
from experiments.runs.summary_form import SummaryForm

# A run that an earlier version began without these keys is trained to its end as it began.
KEPT_AS_BEGUN = ("task.held_out_rows", "execution.onednn")

FINISHED = ("complete", "diverged")  # the statuses of a run that trains no further


class RunDirectory:
    """The paths of a run directory (a contract: other programs read them)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.data = path / "data.json"
        self.metrics = path / "metrics.csv"
        self.summary = path / "summary.json"
        self.curve = path / "learning_curve.png"
        self.events = path / "events"
        self.checkpoints = path / "checkpoint"
        self.log = path / "log.txt"

    def __fspath__(self) -> str:
        return str(self.path)

    def check(self, config: Config, overwrite: bool) -> None:
        """See that a run with this config may use the directory; make it where it is missing.

        Raises UsageError where it cannot be written, holds another config, or holds
        files that are no run. Nothing in it is changed.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"run directory {self.path}: cannot be made: {error.strerror}"
            ) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UsageError(f"run directory {self.path}: not writable")
        is_new = not self.config.exists() and not is_replaced(self.path)
        if is_new and any(self._strangers()):
            raise UsageError(
                f"run directory {self.path}: holds files but no config.yaml, so it is no run; "
                "name another with --run-dir"
            )
        check_links(self.path, is_new)
        if self.config.exists() and not overwrite:
            self._check_same(config)

    def prepare(self, config: Config, overwrite: bool) -> list[Path]:
        """Make the directory ready for a run with this config, once it is checked and locked.

        Returns what is left of a run that was replaced, where it cannot be removed.
        """
        if overwrite or is_replaced(self.path):
            move_aside(self.path, self._parts)
        if self.config.exists():
            self._check_same(config)  # another process may have come first
        else:
            permit_links(self.path)
            write_atomic(self.config, dump_yaml(escaped(config.as_dict())))
        for path in self._temporaries():
            path.unlink(missing_ok=True)
        return remove_moved(self.path)

    def read_config(self) -> Config:
        """The run's own config. Raises UsageError where this is no run directory."""
        if not self.config.is_file():
            raise UsageError(f"{self.path}: no run directory: config.yaml expected, not found")
        content = unescaped(load_yaml(self.config))
        config: Config = validate(Config, content, str(self.config))
        return config

    def read_summary(self) -> dict[str, Any]:
        """summary.json; empty where the run has not written one yet.

        Raises UsageError where it cannot be read or a key has another type.
        """
        content = read_object(self.summary) or {}  # empty after a loss of power
        validate(SummaryForm, content, str(self.summary))
        return content

    def is_complete(self) -> bool:
        """Whether it holds a run that is trained to its end."""
        return self.read_summary().get("status") == "complete"

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Replace summary.json; a number that is not finite, which JSON lacks, becomes null."""
        content = json.dumps(finite(summary), indent=2, allow_nan=False)
        write_atomic(self.summary, content + "\n")

    def differences(self, config: Config) -> list[tuple[str, Any, Any]]:
        """Settings of the run here and of the config that differ: the key and both values.

        The description does not count, nor does what the run decides itself or has decided when
        it began. Raises UsageError where this is no run directory.
        """
        there, here = self.read_config().settings(), config.settings()
        return [
            (key, old, new)
            for key, old, new in _differences(there, here)
            if not (key in KEPT_AS_BEGUN and not self.writes(key))
            and not (key.startswith("execution.") and new == "auto")
        ]

    def writes(self, key: str) -> bool:
        """Whether config.yaml has the key; that of an earlier version may lack it."""
        return key in flatten(load_yaml(self.config))

    def _check_same(self, config: Config) -> None:
        """Raise UsageError if the run here has other settings. Its description may differ."""
        for key, expected, got in self.differences(config):
            raise UsageError(
                f"run directory {self.path}: holds a run with {key} = {expected!r}, this one has "
                f"{got!r}; name another with --run-dir, or replace it with --overwrite"
            )

    @property
    def _parts(self) -> list[Path]:
        """The files and folders that a run writes, config.yaml first."""
        files = [self.config, self.data, self.metrics, self.summary, self.curve, self.log]
        return [*files, self.events, self.checkpoints]

    def _strangers(self) -> Iterator[Path]:
        """Files that no run writes; a process killed at its first write leaves no config.yaml."""
        names = [part.name for part in self._parts]
        return (
            path
            for path in self.path.iterdir()
            if not path.name.startswith((".lock", FOLDER))
            and not is_temporary(path, names)
            and not is_link_of_user(path)
        )

    def empty(self) -> None:
        """Remove what a run writes, and nothing else.

        config.yaml goes last: what an interrupt leaves is still a run, and can be removed again.
        """
        for path in reversed(self._parts):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for path in self._temporaries():  # none behind a link, which is gone
            path.unlink(missing_ok=True)
        remove_moved(self.path)

    def _temporaries(self) -> Iterator[Path]:
        """Files that a killed process left half written."""
        names = [part.name for part in self._parts]
        yield from (path for path in self.path.glob(".*") if is_temporary(path, names))
        yield from self.checkpoints.glob("seed-*/.*.npz")


def _differences(there: Any, here: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every dotted key whose values differ, with both values."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in [*there, *(name for name in here if name not in there)]:
            yield from _differences(
                there.get(name), here.get(name), f"{key}.{name}" if key else name
            )
    elif there != here:
        yield key, there, here
