"""summary.json: the results of a run, and the environment that it ran in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.config.schema import Config
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.runs.environment import code, machine
from experiments.runs.final_loss import FinalLoss, of_position, of_rows
from experiments.runs.metrics import read_metrics
from experiments.statistics.over_seeds import mean_over_seeds
from experiments.training.execution import recorded
from experiments.training.workload import Workload
from experiments.training.xla import uses_xla


def summarize(
    config: Config,
    workload: Workload,
    directory: RunDirectory,
    status: str,
    positions: list[Position],
) -> dict[str, Any]:
    """The summary of a run as its metrics.csv stands now."""
    finals, floors = _final_losses(directory, positions), workload.task.floors()
    return {
        "status": status,
        "name": config.name,
        "final_loss": {
            **_over_complete(
                {seed: final.loss for seed, final in finals.items()}, positions, floors
            ),
            "updates": {str(seed): final.updates for seed, final in finals.items()},
            "unit": "nats per time step, mean over the last tenth of training",
        },
        "seeds": {str(position.seed): position.status for position in positions},
        "updates": {str(position.seed): position.updates for position in positions},
        "seconds": sum(position.seconds for position in positions),
        "total_updates": workload.updates,
        "validation": _validation(positions, floors),
        "floors": floors,
        "xla": uses_xla(config, workload),
        "execution": recorded(config.execution),
        **machine(),
        **code_of(directory),
    }


def code_of(directory: RunDirectory) -> dict[str, Any]:
    """The commit and the digest of the code that the run began with, which may change since."""
    began = directory.read_summary()
    if "code" in began:
        return {key: began.get(key) for key in ("git_commit", "code")}
    return code()


def describe_losses(losses: Mapping[int, float], floors: Mapping[str, float]) -> dict[str, Any]:
    """The losses of seeds as JSON: mean, 95 % interval, and each seed's own.

    With the task's floors, the interval knows seeds that learned from those that did not.
    """
    interval = mean_over_seeds([*losses.values()], floors) if losses else None
    return {
        "mean": interval.mean if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "per_seed": {str(seed): loss for seed, loss in losses.items()},
    }


def _over_complete(
    losses: Mapping[int, float], positions: list[Position], floors: Mapping[str, float]
) -> dict[str, Any]:
    """`describe_losses` with the mean over complete seeds; the others' losses end too early."""
    complete = {position.seed for position in positions if position.status == "complete"}
    described = describe_losses({seed: losses[seed] for seed in losses if seed in complete}, floors)
    return described | {"per_seed": {str(seed): loss for seed, loss in losses.items()}}


def _final_losses(directory: RunDirectory, positions: list[Position]) -> dict[int, FinalLoss]:
    """Each seed's final loss: from its position if it ended as planned, else from its rows."""
    rows = read_metrics(directory.metrics) if directory.metrics.exists() else []
    found = of_rows(rows)
    for position in positions:
        if final := of_position(position):
            found[position.seed] = final
    return found


def _validation(positions: list[Position], floors: Mapping[str, float]) -> dict[str, Any] | None:
    """The least validation loss of each seed; None where nothing was validated."""
    best = {p.seed: p.best_loss for p in positions if p.best_loss is not None}
    if not best:
        return None
    described = _over_complete(best, positions, floors)
    per_seed = described.pop("per_seed")
    return {"best_loss": described, "per_seed": per_seed}
