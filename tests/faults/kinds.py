"""Small runs of every kind that is trained by a path of its own, and what they must end as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.config.compose import load_config
from experiments.runs import checkpoints
from tests.conftest import SMALL, metrics_of, shown_by_tensorboard, summary_of
from tests.faults.forks import CHILD, Command, Ended

TEXT = "text.txt"
FEW = (
    "training.epochs=3",
    "execution.iterations_per_loop=5",
    "execution.xla=off",
    "logging.every=5",
    "logging.checkpoint_seconds=0",
)
OF_TEXT = (
    "task.source=file",
    f"task.path={TEXT}",
    "task.valid=0.1",
    "model.state_size=8",
    "graph.batch_size=8",
    "graph.num_steps=8",
)
# Keys of summary.json that differ between equal runs.
CHANGING = ("seconds", "host", "git_commit", "memory")


class Kind(NamedTuple):
    """One kind of run."""

    experiment: str
    overrides: tuple[str, ...]
    seeds: int = 1  # of one run
    points: int = 1  # runs in one process, as in a sweep over seeds

    def command(self, folder: Path) -> Command:
        """The command that trains it, in the folder, and resumes it."""
        if self.points == 1:
            train = ("train", self.experiment, *self.overrides, f"training.seeds={self.seeds}")
            # Quiet, because lines of progress depend on the time.
            return Command((*train, "--run-dir", "0", "--quiet"), folder)
        jobs = [
            {
                "name": str(seed),
                "config": load_config(
                    self.experiment, [*self.overrides, f"training.first_seed={seed}"]
                ).as_dict(),
                "directory": str(folder / str(seed)),
            }
            for seed in range(self.points)
        ]
        batch = {"jobs": jobs, "folder": str(folder), "cells": None}
        return Command([CHILD], folder, json.dumps(batch) + "\n")

    def is_complete(self, ended: Ended) -> bool:
        """Whether the command trained everything to its end."""
        if self.points == 1:
            return ended.code == 0
        messages = map(json.loads, ended.out.splitlines())
        reasons = [message["reason"] for message in messages if message["kind"] == "ended"]
        return ended.code == 0 and reasons == [""] * self.points


KINDS: Mapping[str, Kind] = {
    "in the graph": Kind("r2rt_n5", (*SMALL, "training.epochs=6")),
    "a session.run for each update": Kind(
        "r2rt_n5", (*SMALL, "execution.loop=per_step", "training.epochs=3")
    ),
    "dropout": Kind(
        "r2rt_n5", (*SMALL, "model.input_keep_prob=0.8", "model.state_keep_prob=0.9")
    ),
    "artbp": Kind(
        "r2rt_n5", (*SMALL, "truncation.kind=artbp", "truncation.cut_probability=0.2")
    ),
    "XLA": Kind("r2rt_n5", (*SMALL, "execution.xla=on", "training.epochs=6")),
    "validation": Kind(
        "digits_small",
        (*FEW, "task.limit=320", "training.epochs=8", "training.patience=2", "model.state_size=8"),
    ),
    "text": Kind("text_python_docs", (*FEW, *OF_TEXT)),
    "examples": Kind("captions", (*FEW, "model.state_size=8"), seeds=2),
    "buckets": Kind("captions", (*FEW, "graph.buckets=3", "model.state_size=8")),
    "seeds": Kind("r2rt_n5", SMALL, seeds=4),
    "points of a sweep in one process": Kind("r2rt_n5", SMALL, points=4),
}  # fmt: skip


def make_folder(folder: Path) -> Path:
    """A folder for a command, with the files that it reads."""
    folder.mkdir()
    lines = (f"{word} and {number}, " for number in range(150) for word in ("to be", "or not"))
    (folder / TEXT).write_text("".join(lines), "utf-8")
    return folder


def assert_same(folder: Path, undisturbed: Path, kind: Kind) -> None:
    """The runs in both folders are equal in all that does not tell the time."""
    for point in range(kind.points):
        assert_same_run(folder / str(point), undisturbed / str(point))


def assert_same_run(run: Path, undisturbed: Path) -> None:
    """Two runs have equal files."""
    assert metrics_of(run) == metrics_of(undisturbed)
    assert _timeless(summary_of(run)) == _timeless(summary_of(undisturbed))
    for name in ("config.yaml", "data.json", "learning_curve.png"):
        assert _bytes(run / name) == _bytes(undisturbed / name), name
    assert _names(run) == _names(undisturbed)
    for path in sorted(undisturbed.glob("checkpoint/*/*.npz")):
        _assert_same_checkpoint(run / path.relative_to(undisturbed), path)
    _assert_events_are_the_rows(run)


def _assert_same_checkpoint(path: Path, undisturbed: Path) -> None:
    ours, theirs = checkpoints.load(path), checkpoints.load(undisturbed)
    for checkpoint in (ours, theirs):
        checkpoint.position.seconds, checkpoint.position.metrics_digest = 0, ""
    assert ours.position == theirs.position
    np.testing.assert_array_equal(ours.stream.keys, theirs.stream.keys)
    assert ours.stream.place == theirs.stream.place
    assert ours.variables.keys() == theirs.variables.keys()
    for name, value in ours.variables.items():
        np.testing.assert_array_equal(value, theirs.variables[name], err_msg=name)


def _assert_events_are_the_rows(run: Path) -> None:
    """TensorBoard shows each row of metrics.csv once, in order."""
    rows = metrics_of(run)
    for seed, split in {(row.seed, row.split) for row in rows}:
        of_split = [row for row in rows if (row.seed, row.split) == (seed, split)]
        shown = shown_by_tensorboard(run / "events" / f"seed-{seed}", f"loss/{split}")
        assert [step for step, _ in shown] == [row.updates for row in of_split]
        np.testing.assert_allclose([loss for _, loss in shown], [row.loss for row in of_split])


def _timeless(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key not in CHANGING}


def _names(run: Path) -> set[str]:
    """Every file of a run, without the time in the names of events."""
    paths = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
    return {".".join(part for part in str(path).split(".") if not part.isdigit()) for path in paths}


def _bytes(path: Path) -> bytes | None:
    """The content of a file of a run, without the path of the run's folder."""
    if not path.exists():
        return None
    return path.read_bytes().replace(str(path.parent.parent).encode(), b"")
