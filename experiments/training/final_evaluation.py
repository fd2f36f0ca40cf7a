"""At the end of a run: the loss of each seed's model on fresh data, and the task's probe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from data.sequences import FRESH
from data.streams import evaluation_stream
from data.task import Answers, Task
from experiments.config.schema import Config
from experiments.interrupts import Stop
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory
from experiments.training.summary import describe_losses

if TYPE_CHECKING:
    from experiments.training.evaluator import Evaluated, Evaluator


class Evaluation(NamedTuple):
    """One model on its seed's held-out data."""

    fresh: Evaluated | None  # as the command `evaluate` measures it; None: no fresh data
    answers: Answers | None  # of the probe; None where the task has none

    def __str__(self) -> str:
        return f"loss on fresh data {self.fresh.loss:.4f}" if self.fresh else "evaluated"

    @property
    def is_finite(self) -> bool:
        """Whether the loss is finite, if there is one."""
        return self.fresh is None or math.isfinite(self.fresh.loss)


def evaluate_seeds(
    config: Config,
    task: Task,
    directory: RunDirectory,
    positions: Sequence[Position],
    stop: Stop,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """The summary's "fresh_loss" and "probe", of complete seeds; empty where the task has none.

    A seed whose loss is not finite has diverged: its position says so from then on. Logs a line
    for each of several seeds. Raises Interrupted when asked to stop.
    """
    if FRESH not in task.held_out and task.probe is None:
        return {}
    from experiments.training.evaluator import Evaluator  # imports TensorFlow

    found: dict[int, Evaluation] = {}
    with Evaluator(config, task, stop) as evaluator:
        for position in positions:
            kept = checkpoints.newest(directory.checkpoints, position.seed).checkpoint
            if position.status == "complete" and kept:
                evaluator.restore(kept.variables)
                evaluation = evaluate_model(task, evaluator, position.seed, config.graph.batch_size)
                if evaluation.is_finite:
                    found[position.seed] = evaluation
                else:
                    position.status = "diverged"
                if len(positions) > 1:
                    log(f"seed {position.seed}: {evaluation}")
    return _fresh_loss(found, task) | _probe(found, task)


def evaluate_model(task: Task, evaluator: Evaluator, seed: int, batch_size: int) -> Evaluation:
    """The model that the evaluator holds. The probe reads rows that each start from zeros."""
    fresh, answers = None, None
    for split in dict.fromkeys([FRESH, task.probe.split] if task.probe else [FRESH]):
        if split not in task.held_out:
            continue
        drawn = task.evaluation(split, evaluation_stream(seed))
        size = min(batch_size, len(drawn.inputs))
        if task.probe and task.probe.split == split:
            answers = task.probe.ask(drawn, evaluator.probabilities(drawn, size))
        if split == FRESH:
            fresh = evaluator.evaluate(drawn, size, task.held_out_rows)
    return Evaluation(fresh, answers)


def _fresh_loss(found: Mapping[int, Evaluation], task: Task) -> dict[str, Any]:
    measured = {seed: each.fresh for seed, each in found.items() if each.fresh is not None}
    losses = {seed: each.loss for seed, each in measured.items()}
    if not measured:
        return {}
    return {
        "fresh_loss": {
            **describe_losses(losses, task.floors()),
            "time_steps": {str(seed): each.time_steps for seed, each in measured.items()},
            "unit": "nats per time step, on fresh data at the end of training",
        }
    }


def _probe(found: Mapping[int, Evaluation], task: Task) -> dict[str, Any]:
    if task.probe is None:
        return {}
    return {
        "probe": [
            {"seed": seed, **(evaluation.answers or {})} for seed, evaluation in found.items()
        ]
    }
