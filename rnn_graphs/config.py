"""The parts of a config that a graph is built from. Imports no TensorFlow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from rnn_graphs.cell_traits import CELLS, Activation, CellConfig
from rnn_graphs.section import Section
from rnn_graphs.truncation.styles import TruncationConfig

__all__ = [
    "Activation",
    "ExecutionConfig",
    "GraphConfig",
    "Initializer",
    "ModelConfig",
    "OptimizerConfig",
    "OptimizerKind",
    "Section",
    "TruncationConfig",
    "Unroll",
]

Initializer = Literal["glorot_uniform", "orthogonal", "uniform", "normal"]
Unroll = Literal["scratch", "static", "dynamic"]
OptimizerKind = Literal["sgd", "momentum", "adagrad", "adam", "rmsprop"]


class ModelConfig(CellConfig):
    """The layers, from inputs to outputs."""

    state_size: int | tuple[int, ...]
    embedding: int | None = Field(default=None, ge=1, le=65536)
    bidirectional: bool = False
    input_keep_prob: float = Field(default=1, gt=0, le=1)
    state_keep_prob: float = Field(default=1, gt=0, le=1)
    output_keep_prob: float = Field(default=1, gt=0, le=1)
    initializer: Initializer = "glorot_uniform"
    initializer_scale: float | None = Field(default=None, gt=0)

    @field_validator("state_size")
    @classmethod
    def _sizes_are_positive(cls, value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        sizes = (value,) if isinstance(value, int) else value
        if not sizes or not all(1 <= size <= 65536 for size in sizes):
            raise ValueError(
                f"expected a size from 1 to 65536, or a list of them, one a layer; got {value}"
            )
        return value

    @model_validator(mode="after")
    def _values_fit_each_other(self) -> ModelConfig:
        if self.activation == "crelu":
            self._check_crelu()
        if (self.initializer_scale is None) == (self.initializer in NEED_SCALE):
            takes = "needs one" if self.initializer in NEED_SCALE else "takes none"
            raise ValueError(
                f"initializer_scale: {self.initializer} {takes}; got {self.initializer_scale}"
            )
        return self

    def _check_crelu(self) -> None:
        if not self.traits.pairs:
            users = ", ".join(name for name, cell in CELLS.items() if cell.pairs)
            raise ValueError(
                f"activation: crelu gives two values a unit, and only {users} can take that; "
                f"{self.cell} has a state of one value a unit"
            )
        if any(size % 2 for size in self.state_sizes):
            raise ValueError(
                "state_size: crelu gives pairs, so it must be even; got "
                f"{', '.join(map(str, self.state_sizes))}"
            )

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The state size of each layer."""
        return (self.state_size,) if isinstance(self.state_size, int) else self.state_size

    @property
    def without_dropout(self) -> ModelConfig:
        """The same model without dropout, as used outside training."""
        return self.model_copy(update=dict.fromkeys(KEEP_PROBS, 1.0))


KEEP_PROBS = ("input_keep_prob", "state_keep_prob", "output_keep_prob")
NEED_SCALE = ("uniform", "normal")


class GraphConfig(Section):
    """The shape of one training step."""

    unroll: Unroll
    num_steps: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    precision: Literal["float32", "float64"]
    padding: Literal["mask", "sequence_length"] = "mask"


class OptimizerConfig(Section):
    """A `tf.compat.v1.train` optimizer. A key that the kind does not use must stay null."""

    kind: OptimizerKind
    learning_rate: float = Field(gt=0)
    momentum: float | None = Field(ge=0, lt=1)
    initial_accumulator: float | None = Field(gt=0)
    beta1: float | None = Field(ge=0, lt=1)
    beta2: float | None = Field(ge=0, lt=1)
    decay: float | None = Field(ge=0, lt=1)
    epsilon: float | None = Field(gt=0)
    clip_norm: float | None = Field(default=None, gt=0)
    decay_rate: float | None = Field(default=None, gt=0, le=1)
    decay_steps: int | None = Field(default=None, ge=1)
    staircase: bool = False

    @model_validator(mode="after")
    def _decay_is_whole(self) -> OptimizerConfig:
        if (self.decay_rate is None) != (self.decay_steps is None):
            raise ValueError(
                "decay_rate and decay_steps: expected both or neither; got "
                f"{self.decay_rate} and {self.decay_steps}"
            )
        if self.staircase and self.decay_rate is None:
            raise ValueError("staircase: without decay_rate there is no decay; expected false")
        return self

    @model_validator(mode="after")
    def _no_key_is_ignored(self) -> OptimizerConfig:
        for key in OPTIONAL_KEYS:
            if getattr(self, key) is not None and key not in KEYS_OF_KIND[self.kind]:
                kinds = ", ".join(kind for kind, keys in KEYS_OF_KIND.items() if key in keys)
                raise ValueError(f"{key} is for {kinds}; {self.kind} does not use it")
        return self

    def value(self, key: str) -> float:
        """The value of a key, or the default of this kind if it is null."""
        given = getattr(self, key)
        return float(KEYS_OF_KIND[self.kind][key] if given is None else given)


OPTIONAL_KEYS = ("momentum", "initial_accumulator", "beta1", "beta2", "decay", "epsilon")
# TensorFlow's own defaults. Its momentum optimizer has none; 0.9 is the usual choice.
KEYS_OF_KIND: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adagrad": {"initial_accumulator": 0.1},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "rmsprop": {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10},
}


class ExecutionConfig(Section):
    """How the graph is run. It does not change the results."""

    loop: Literal["in_graph", "per_step"]
    iterations_per_loop: int = Field(ge=1, le=1_000_000)
    xla: Literal["auto", "on", "off"]
    threads: int | None = Field(ge=1, le=1024)
    memory_limit: float = Field(default=2.0, gt=0)

    @field_validator("xla", mode="before")
    @classmethod
    def _yaml_reads_on_as_a_boolean(cls, value: object) -> object:
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
