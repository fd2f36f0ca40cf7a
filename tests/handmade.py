"""Finished runs made by hand, whose results can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from experiments.config.compose import load_config
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow
from experiments.runs.run import Run, read_run

FLOORS = {"none": 0.6, "lag 17": 0.4}
EVERY = 10  # updates a row
TIME_STEPS = 1000  # an update
MIB = 2**20

# The middle of the floors is 0.5: these learn at their row 2, 4 and never.
SOON = [0.6, 0.49, 0.41, 0.4, 0.4, 0.4]
LATE = [0.6, 0.59, 0.51, 0.49, 0.4, 0.4]
NEVER = [0.6, 0.6, 0.6, 0.6, 0.59, 0.58]


def finished_run(
    folder: Path,
    name: str,
    losses: Sequence[Sequence[float]],
    learned: Sequence[bool] = (),
    overrides: Sequence[str] = (),
    step_seconds: Sequence[float] = (),
    first_seed: int = 0,
    valid: Sequence[Sequence[float]] = (),
    fresh: Sequence[float] = (),
    experiment: str = "lag_17",
) -> Run:
    """A run directory of lag_17, or of another experiment with one lag, read back.

    losses: [seed][row]; learned: what each seed's probe says; step_seconds: each seed's
    seconds for a time step, one microsecond where it is not given. The seeds follow each other.
    valid: validation losses, [seed][row], at the same updates; fresh: each seed's loss on
    TIME_STEPS symbols of fresh data.
    """
    config = load_config(experiment, overrides)
    (lag,) = {dependency["lag"] for dependency in config.as_dict()["task"]["dependencies"]}
    directory = RunDirectory(folder / name)
    directory.path.mkdir(parents=True)
    directory.config.write_text(yaml.safe_dump(config.as_dict()), "utf-8")
    probes = [
        {"seed": first_seed + index, "effects": [{"lag": lag, "learned": answer}]}
        for index, answer in enumerate(learned)
    ]
    summary = {"status": "complete", "floors": FLOORS, "probe": probes}
    if fresh:
        per_seed = {str(first_seed + index): loss for index, loss in enumerate(fresh)}
        time_steps = dict.fromkeys(per_seed, TIME_STEPS)
        summary["fresh_loss"] = {"per_seed": per_seed, "time_steps": time_steps}
    directory.write_summary(summary)
    metrics = MetricsFile(directory.metrics)
    metrics.start()
    for index, row_losses in enumerate(losses):
        seed, each = first_seed + index, step_seconds[index] if step_seconds else 1e-6
        for row, loss in enumerate(row_losses):
            updates = EVERY * (row + 1)
            steps = TIME_STEPS * updates
            made = MetricsRow(seed, 1, updates, steps, steps * each, "train", loss)
            metrics.append([made])
            if valid:
                metrics.append([made._replace(split="valid", loss=valid[index][row])])
    return read_run(directory, name)


def run_with_memory(folder: Path, name: str, added: int | None, *overrides: str) -> Run:
    """A finished run whose training took `added` MiB beyond 500; None: without a record of it."""
    run = finished_run(folder, name, [[0.6, 0.5], [0.6, 0.52]], overrides=overrides)
    if added is not None:
        run.summary["memory"] = {"before": 500 * MIB, "peak": (500 + added) * MIB, "since": "run"}
    return run
