"""The whole config of one run: each package's own part, and checks across them."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from data.config import TaskConfig
from rnn_graphs.config import (
    ExecutionConfig,
    GraphConfig,
    ModelConfig,
    OptimizerConfig,
    Section,
    TruncationConfig,
)


class TrainingConfig(Section):
    """How long, and over which seeds."""

    epochs: int = Field(ge=1, le=1_000_000)
    seeds: int = Field(ge=1, le=10_000)
    first_seed: int = Field(ge=0, le=2**31 - 10_001)


class LoggingConfig(Section):
    """What is written while a run goes on."""

    every: int = Field(ge=1)
    checkpoint_seconds: float = Field(ge=0)
    tensorboard: bool


class Config(Section):
    """One run. Frozen; a key that is not here is an error."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)
    description: str
    task: TaskConfig
    model: ModelConfig
    graph: GraphConfig
    truncation: TruncationConfig
    optimizer: OptimizerConfig
    training: TrainingConfig
    execution: ExecutionConfig
    logging: LoggingConfig

    @model_validator(mode="after")
    def _an_epoch_holds_an_update(self) -> Config:
        size, batch_size, num_steps = self.task.size, self.graph.batch_size, self.graph.num_steps
        if batch_size > size:
            raise ValueError(
                f"graph.batch_size: expected at most task.size, {size}; got {batch_size}"
            )
        context = self.truncation.context_steps
        if num_steps + context > size // batch_size:
            more = f" less {context} steps of context" if context else ""
            raise ValueError(
                "graph.num_steps: expected at most the length of a row, task.size // "
                f"graph.batch_size = {size // batch_size}{more}; got {num_steps}"
            )
        self.truncation.check_window(num_steps)
        return self

    @property
    def seeds(self) -> range:
        """The seeds of this run."""
        return range(self.training.first_seed, self.training.first_seed + self.training.seeds)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for YAML."""
        return self.model_dump(mode="json")
