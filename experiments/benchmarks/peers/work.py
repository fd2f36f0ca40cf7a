"""The work of an update, as every program is told it: what counts for its time, and no more."""

from __future__ import annotations

import json
from typing import NamedTuple, Self

from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.training.workload import make_workload


class Work(NamedTuple):
    """The shapes of an update of a config. Data and weights do not matter to its time."""

    experiment: str
    overrides: list[str]
    threads: int
    cell: str  # of the config
    layers: list[int]  # state sizes
    num_inputs: int
    embedding: int | None
    ids: bool  # inputs are ids; features where false
    num_classes: int
    num_steps: int
    batch_size: int
    one_label: bool  # for each row, at its last step; one for each time step where false
    input_keep_prob: float
    output_keep_prob: float
    clip_norm: float | None
    optimizer: str

    def as_json(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def config(self, *more: str) -> Config:
        """The config, with more overrides."""
        return load_config(self.experiment, [*self.overrides, *more])


def work_of(experiment: str, overrides: list[str], threads: int) -> Work:
    """The work of an experiment's update. Raises UsageError where its data cannot be read."""
    overrides = [*overrides, f"execution.threads={threads}"]
    config = load_config(experiment, overrides)
    task, model, graph = make_workload(config).task, config.model, config.graph
    return Work(
        experiment, overrides, threads, model.cell, list(model.state_sizes), task.num_inputs,
        model.embedding, task.inputs == "ids", task.num_classes, graph.num_steps, graph.batch_size,
        not task.carries_state, model.input_keep_prob, model.output_keep_prob,
        config.optimizer.clip_norm, config.optimizer.kind,
    )  # fmt: skip
