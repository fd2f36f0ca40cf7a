"""What a user may say about a graph. Imports no TensorFlow."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

Cell = Literal["scratch", "basic_rnn"]
Unroll = Literal["scratch", "static", "dynamic"]
OptimizerKind = Literal["sgd", "momentum", "adagrad", "adam", "rmsprop"]


class Section(BaseModel):
    """A part of a config: cannot change, and has no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_boolean_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Python takes True for 1, and so would pydantic."""
        annotation = cls.model_fields[str(field.field_name)].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            raise ValueError(f"expected a number; got {value}")
        return value


class ModelConfig(Section):
    """The cell and its size."""

    cell: Cell
    state_size: int = Field(ge=1, le=65536)


class GraphConfig(Section):
    """The shape of one training step."""

    unroll: Unroll
    num_steps: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    precision: Literal["float32", "float64"]


class TruncationConfig(Section):
    """How far errors flow back; see rnn_graphs/truncation.py."""

    kind: Literal["tf_style"]


class OptimizerConfig(Section):
    """A `tf.compat.v1.train` optimizer; a key that the kind does not use must stay null."""

    kind: OptimizerKind
    learning_rate: float = Field(gt=0)
    momentum: float | None = Field(ge=0, lt=1)
    initial_accumulator: float | None = Field(gt=0)
    beta1: float | None = Field(ge=0, lt=1)
    beta2: float | None = Field(ge=0, lt=1)
    decay: float | None = Field(ge=0, lt=1)
    epsilon: float | None = Field(gt=0)

    @model_validator(mode="after")
    def _no_key_is_ignored(self) -> OptimizerConfig:
        for key in OPTIONAL_KEYS:
            if getattr(self, key) is not None and key not in KEYS_OF_KIND[self.kind]:
                kinds = ", ".join(kind for kind, keys in KEYS_OF_KIND.items() if key in keys)
                raise ValueError(f"{key} is for {kinds}; {self.kind} does not use it")
        return self

    def value(self, key: str) -> float:
        """The key's value, or the default of this kind where it was left null."""
        given = getattr(self, key)
        return float(KEYS_OF_KIND[self.kind][key] if given is None else given)


OPTIONAL_KEYS = ("momentum", "initial_accumulator", "beta1", "beta2", "decay", "epsilon")
# TensorFlow's own defaults; its momentum optimizer has none, 0.9 is the field's habit.
KEYS_OF_KIND: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adagrad": {"initial_accumulator": 0.1},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "rmsprop": {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10},
}


class ExecutionConfig(Section):
    """How the graph is run; the results are the same."""

    loop: Literal["in_graph", "per_step"]
    iterations_per_loop: int = Field(ge=1, le=1_000_000)
    xla: Literal["auto", "on", "off"]
    threads: int | None = Field(ge=1, le=1024)

    @field_validator("xla", mode="before")
    @classmethod
    def _yaml_reads_on_as_a_boolean(cls, value: object) -> object:
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
