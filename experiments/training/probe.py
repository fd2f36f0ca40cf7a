"""Ask the trained model of each seed what it has learned, where the task has a probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data.streams import evaluation_stream
from data.task import Answers, Task
from experiments.config.schema import Config
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Position
from experiments.runs.directory import RunDirectory

if TYPE_CHECKING:
    from experiments.training.evaluate import Evaluator


def probe_seeds(
    config: Config, task: Task, directory: RunDirectory, positions: Sequence[Position]
) -> dict[str, Any]:
    """The summary's "probe": the answers of each complete seed. Empty where the task has none."""
    if task.probe is None:
        return {}
    from experiments.training.evaluate import Evaluator  # imports TensorFlow

    answers = []
    with Evaluator(config, task) as evaluator:
        for position in positions:
            found = checkpoints.newest(directory.checkpoints, position.seed).checkpoint
            if position.status == "complete" and found:
                evaluator.restore(found.variables)
                answers.append(ask_model(task, evaluator, position.seed, config.graph.batch_size))
    return {"probe": answers}


def ask_model(task: Task, evaluator: Evaluator, seed: int, batch_size: int) -> Answers:
    """The answers of the model that the evaluator holds, on held-out data of the seed."""
    assert task.probe is not None
    drawn = task.evaluation(task.probe.split, evaluation_stream(seed))
    probabilities = evaluator.probabilities(drawn, min(batch_size, len(drawn.inputs)))
    return {"seed": seed, **task.probe.ask(drawn, probabilities)}
