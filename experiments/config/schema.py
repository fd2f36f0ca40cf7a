"""The whole config of one run: each package's part, and checks across the parts."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from data.registry import TaskConfig
from experiments.config.catalog import nearest
from experiments.config.flat import flatten
from rnn_graphs.config import (
    ExecutionConfig,
    GraphConfig,
    ModelConfig,
    OptimizerConfig,
    Section,
    TruncationConfig,
)
from rnn_graphs.metrics import METRICS
from rnn_graphs.truncation.styles import kinds_that_cut_nothing

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # of an experiment; its runs are in a folder of this name


class TrainingConfig(Section):
    """How long to train, and with which seeds."""

    epochs: int = Field(ge=1, le=1_000_000)
    seeds: int = Field(ge=1, le=10_000)
    first_seed: int = Field(ge=0, le=2**31 - 10_001)
    carry_state: bool = True
    validate_every: int | None = Field(default=None, ge=1)
    patience: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _patience_has_what_it_waits_for(self) -> TrainingConfig:
        if self.patience is not None and self.validate_every is None:
            raise ValueError(
                f"patience: without validate_every there is no validation loss; got {self.patience}"
            )
        return self


class LoggingConfig(Section):
    """The files that a run writes while it trains."""

    every: int = Field(ge=1)
    checkpoint_seconds: float = Field(ge=0)
    tensorboard: bool
    metrics: tuple[str, ...] = ()

    @field_validator("metrics")
    @classmethod
    def _each_is_known_and_named_once(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for name in metrics:
            if name not in METRICS:
                hint = nearest(name, METRICS) or f"; expected some of {', '.join(METRICS)}"
                raise ValueError(f"{name!r} is not a metric{hint}")
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"each metric at most once; got {', '.join(metrics)}")
        return metrics


class Config(Section):
    """The config of one run. It is frozen, and an unknown key is an error."""

    name: str = Field(pattern=f"^{NAME}$", max_length=100)
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
    def _parts_fit(self) -> Config:
        self.truncation.check_window(self.graph.num_steps)
        self.truncation.check_model(self.model)
        if "chosen_depth" in self.logging.metrics and not self.truncation.chooses:
            raise ValueError(
                "logging.metrics: chosen_depth is for a style that chooses its depth; "
                f"truncation.kind is {self.truncation.kind}"
            )
        if self.model.bidirectional and self.truncation.cuts:
            raise ValueError(
                "truncation.kind: a bidirectional graph has errors from both sides, and none may "
                f"be cut; expected {' or '.join(kinds_that_cut_nothing())}, with no other key of "
                f"truncation; got {self.truncation.kind}"
            )
        return self

    @model_validator(mode="after")
    def _credit_beyond_a_window_needs_its_state(self) -> Config:
        if self.training.carry_state:
            return self
        if self.truncation.context:
            raise ValueError(
                "truncation.context: it continues a state that is carried; expected false where "
                "training.carry_state is false, got true"
            )
        if self.truncation.chooses or self.truncation.carries:
            raise ValueError(
                "truncation.kind: its credit reaches beyond the start of a window, so that the "
                "state must be carried; expected another kind where training.carry_state is false, "
                f"got {self.truncation.kind}"
            )
        return self

    @property
    def seeds(self) -> range:
        """The seeds of this run."""
        return range(self.training.first_seed, self.training.first_seed + self.training.seeds)

    @property
    def task_without_size(self) -> dict[str, Any]:
        """The task, flat, without its size. Losses of different tasks cannot be compared."""
        task = flatten(self.task.model_dump(mode="json"))
        return {key: value for key, value in task.items() if key != "size"}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for YAML."""
        return self.model_dump(mode="json")

    def settings(self) -> dict[str, Any]:
        """Plain values of everything that decides a run's results: all but the description."""
        return self.model_dump(mode="json", exclude={"description"})
