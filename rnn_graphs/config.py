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
TruncationKind = Literal["full", "tf_style", "true_bptt", "williams_peng", "artbp"]
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
    """How far errors flow back; see rnn_graphs/truncation.py.

    A key that the kind does not use must stay as it is in base.yaml.
    """

    kind: TruncationKind
    depth: int | None = Field(default=None, ge=1)
    stride: int | None = Field(default=None, ge=1)
    context: bool = False
    cut_probability: float | None = Field(default=None, ge=0, lt=1)

    @model_validator(mode="after")
    def _keys_are_those_of_the_kind(self) -> TruncationConfig:
        for key in ("depth", "stride", "cut_probability"):
            if getattr(self, key) is not None and key not in TRUNCATION_KEYS[self.kind]:
                kinds = [kind for kind, keys in TRUNCATION_KEYS.items() if key in keys]
                raise ValueError(f"{key} is for {', '.join(kinds)}; {self.kind} does not use it")
            needed = key in TRUNCATION_KEYS[self.kind] and self.kind != "tf_style"
            if getattr(self, key) is None and needed:
                raise ValueError(f"{self.kind} needs {key}; got null")
        if self.context and self.kind not in ("true_bptt", "williams_peng"):
            raise ValueError(
                f"context is for true_bptt and williams_peng; {self.kind} reaches no step before "
                "its block"
            )
        if self.kind == "williams_peng" and self.depth and self.stride and self.depth % self.stride:
            raise ValueError(
                f"depth must be a multiple of stride; got depth {self.depth}, stride {self.stride}"
            )
        return self

    @property
    def errors_stride(self) -> int:
        """Losses that share one way back: 1 for true_bptt."""
        return 1 if self.kind == "true_bptt" else int(self.stride or 1)

    @property
    def context_steps(self) -> int:
        """Time steps of the graph before its first loss."""
        return (self.depth or 0) - self.errors_stride if self.context else 0

    def check_window(self, num_steps: int) -> None:
        """Raise ValueError where a window of `num_steps` losses does not divide as it must."""
        if self.kind == "tf_style" and self.depth and num_steps % self.depth:
            raise ValueError(
                f"truncation.depth: tf_style cuts graph.num_steps, {num_steps}, in blocks of equal "
                f"depth; got {self.depth}"
            )
        if self.kind == "williams_peng" and self.stride and num_steps % self.stride:
            raise ValueError(
                f"truncation.stride: expected a divisor of graph.num_steps, {num_steps}; "
                f"got {self.stride}"
            )


TRUNCATION_KEYS: dict[str, tuple[str, ...]] = {
    "full": (),
    "tf_style": ("depth",),
    "true_bptt": ("depth",),
    "williams_peng": ("depth", "stride"),
    "artbp": ("cut_probability",),
}


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
