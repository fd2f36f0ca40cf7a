"""The parts of a config that a graph is built from. Imports no TensorFlow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, field_validator, model_validator

from rnn_graphs.cells.traits import CELLS, Activation, CellConfig
from rnn_graphs.section import Section
from rnn_graphs.truncation.styles import TruncationConfig

__all__ = [
    "Activation",
    "ExecutionConfig",
    "GraphConfig",
    "InitialState",
    "Initializer",
    "ModelConfig",
    "OptimizerConfig",
    "OptimizerKind",
    "Section",
    "TruncationConfig",
    "Unroll",
]

Initializer = Literal["glorot_uniform", "uniform_unit_scaling", "orthogonal", "uniform", "normal"]
InitialState = Literal["zero", "learned", "noisy", "learned_noisy"]
Unroll = Literal["scratch", "static", "dynamic", "scan"]
OptimizerKind = Literal["sgd", "momentum", "adagrad", "adam", "rmsprop"]


class ModelConfig(CellConfig):
    """The layers, from inputs to outputs."""

    state_size: int | tuple[int, ...]
    embedding: int | None = Field(default=None, ge=1, le=65536)
    bidirectional: bool = False
    decoder: Literal["shared", "own"] = "shared"
    input_keep_prob: float = Field(default=1, gt=0, le=1)
    state_keep_prob: float = Field(default=1, gt=0, le=1)
    output_keep_prob: float = Field(default=1, gt=0, le=1)
    dropout_mask: Literal["step", "sequence"] = "step"
    initializer: Initializer = "glorot_uniform"
    initializer_scale: float | None = Field(default=None, gt=0)
    recurrent_initializer: Initializer | None = None
    recurrent_scale: float | None = Field(default=None, gt=0)
    embedding_initializer: Initializer | None = None
    embedding_scale: float | None = Field(default=None, gt=0)
    train_embedding: bool = True
    initial_state: InitialState = "zero"
    initial_noise: float | None = Field(default=None, gt=0)

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
        for prefix in ("", "recurrent_", "embedding_"):
            self._check_scale(f"{prefix}initializer", f"{prefix or 'initializer_'}scale")
        if (self.initial_noise is None) == ("noisy" in self.initial_state):
            takes = "needs one" if "noisy" in self.initial_state else "takes none"
            raise ValueError(
                f"initial_noise: {self.initial_state} {takes}; got {self.initial_noise}"
            )
        return self

    @model_validator(mode="after")
    def _no_key_is_ignored(self) -> ModelConfig:
        for key in ("embedding_initializer", "train_embedding"):
            if self.embedding is None and getattr(self, key) not in (None, True):
                raise ValueError(f"{key}: there is no embedding; got {getattr(self, key)}")
        if self.recurrent_initializer and not self.traits.joins_inputs:
            raise ValueError(
                "recurrent_initializer: it draws the rows for h of matrices that multiply [x, h], "
                f"and {self.cell} may have others; expected null, got {self.recurrent_initializer}"
            )
        if self.dropout_mask != "step" and not self.drops:
            raise ValueError(f"dropout_mask: nothing is dropped; got {self.dropout_mask}")
        return self

    def _check_scale(self, key: str, scale_key: str) -> None:
        initializer, scale = getattr(self, key), getattr(self, scale_key)
        if (scale is None) == (initializer in NEED_SCALE):
            takes = "needs one" if initializer in NEED_SCALE else "takes none"
            raise ValueError(f"{scale_key}: {initializer or key} {takes}; got {scale}")

    def _check_crelu(self) -> None:
        if not self.traits.takes_crelu:
            users = ", ".join(name for name, cell in CELLS.items() if cell.takes_crelu)
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
    def learns_initial_state(self) -> bool:
        """Whether the first state is a variable."""
        return "learned" in self.initial_state

    @property
    def drops(self) -> bool:
        """Whether there is dropout."""
        return any(getattr(self, key) < 1 for key in KEEP_PROBS)

    @property
    def without_dropout(self) -> ModelConfig:
        """The same model as used outside training: nothing dropped, no noise in the first state."""
        quiet = "learned" if self.learns_initial_state else "zero"
        unused = {"initial_state": quiet, "initial_noise": None, "dropout_mask": "step"}
        return self.model_copy(update=dict.fromkeys(KEEP_PROBS, 1.0) | unused)


KEEP_PROBS = ("input_keep_prob", "state_keep_prob", "output_keep_prob")
NEED_SCALE = ("uniform", "normal")


class GraphConfig(Section):
    """The shape of one training step."""

    unroll: Unroll
    num_steps: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    precision: Literal["float32", "float64"]
    padding: Literal["mask", "sequence_length", "none"] = "mask"
    buckets: int = Field(default=1, ge=1, le=100)

    @property
    def in_a_loop(self) -> bool:
        """Whether the graph has one copy of the cells, in a loop, however many steps it takes."""
        return self.unroll in ("dynamic", "scan")


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


def _threads(value: object) -> object:
    if value in ("auto", None):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_THREADS:
        return value
    raise ValueError(f"expected auto, null or a number from 1 to {MOST_THREADS}; got {value!r}")


MOST_THREADS = 1024
# One validator, because an error of a union would name each of its types.
Threads = Annotated[int | Literal["auto"] | None, PlainValidator(_threads)]


class ExecutionConfig(Section):
    """How the graph is run. It does not change the results, but for rounding."""

    loop: Literal["in_graph", "per_step"]
    iterations_per_loop: int = Field(ge=1, le=1_000_000)
    xla: Literal["auto", "on", "off"]
    onednn: Literal["auto", "on", "off"] = "auto"
    threads: Threads
    memory_limit: float = Field(default=2.0, gt=0)

    @field_validator("xla", "onednn", mode="before")
    @classmethod
    def _yaml_reads_on_as_a_boolean(cls, value: object) -> object:
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
