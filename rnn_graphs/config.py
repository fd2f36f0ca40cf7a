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

from rnn_graphs.truncation.styles import KEYS, STYLES, kinds_with

Cell = Literal["scratch", "basic_rnn", "gru", "basic_lstm", "lstm", "influence_balancing"]
Activation = Literal[
    "tanh", "relu", "relu6", "leaky_relu", "elu", "softplus", "softsign", "sigmoid", "crelu"
]
Initializer = Literal["glorot_uniform", "orthogonal", "uniform", "normal"]
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
    """The layers, from inputs to outputs; a key that the cell does not use must stay as it is."""

    cell: Cell
    state_size: int | tuple[int, ...]
    activation: Activation | None = None
    embedding: int | None = Field(default=None, ge=1, le=65536)
    bidirectional: bool = False
    input_keep: float = Field(default=1, gt=0, le=1)
    state_keep: float = Field(default=1, gt=0, le=1)
    output_keep: float = Field(default=1, gt=0, le=1)
    peepholes: bool = False
    cell_clip: float | None = Field(default=None, gt=0)
    projection: int | None = Field(default=None, ge=1, le=65536)
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
    def _no_key_is_ignored(self) -> ModelConfig:
        for key, unused in LSTM_KEYS.items():
            if getattr(self, key) != unused and self.cell != "lstm":
                raise ValueError(f"{key} is for lstm; {self.cell} does not use it")
        if self.activation is not None and self.cell == "influence_balancing":
            raise ValueError("activation: influence_balancing is linear; expected null")
        if self.activation == "crelu":
            self._check_crelu()
        if (self.initializer_scale is None) == (self.initializer in NEED_SCALE):
            takes = "needs one" if self.initializer in NEED_SCALE else "takes none"
            raise ValueError(
                f"initializer_scale: {self.initializer} {takes}; got {self.initializer_scale}"
            )
        return self

    def _check_crelu(self) -> None:
        if self.cell != "scratch":
            raise ValueError(
                "activation: crelu gives two values a unit, and only scratch can take that; "
                f"{self.cell} adds them to a state of one value a unit"
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
        """The same model as it is used outside of training."""
        return self.model_copy(update={"input_keep": 1.0, "state_keep": 1.0, "output_keep": 1.0})


LSTM_KEYS = {"peepholes": False, "cell_clip": None, "projection": None}
NEED_SCALE = ("uniform", "normal")


class GraphConfig(Section):
    """The shape of one training step."""

    unroll: Unroll
    num_steps: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    precision: Literal["float32", "float64"]
    padding: Literal["mask", "sequence_length"] = "mask"


class TruncationConfig(Section):
    """How far errors flow back; see rnn_graphs/truncation/styles.py.

    A key that the kind does not use must stay as it is in base.yaml.
    """

    kind: str
    depth: int | None = Field(default=None, ge=1)
    stride: int | None = Field(default=None, ge=1)
    context: bool = False
    cut_probability: float | None = Field(default=None, ge=0, lt=1)

    @field_validator("kind")
    @classmethod
    def _there_is_such_a_style(cls, kind: str) -> str:
        if kind not in STYLES:
            raise ValueError(f"expected one of {', '.join(STYLES)}; got {kind!r}")
        return kind

    @model_validator(mode="after")
    def _keys_are_those_of_the_kind(self) -> TruncationConfig:
        style = STYLES[self.kind]
        for key in KEYS:
            given = getattr(self, key) is not None
            if given and key not in (*style.needs, *style.takes):
                raise ValueError(f"{key} is for {kinds_with(key)}; {self.kind} does not use it")
            if not given and key in style.needs:
                raise ValueError(f"{self.kind} needs {key}; got null")
        if self.context and not style.context:
            raise ValueError(
                f"context is for {', '.join(k for k, other in STYLES.items() if other.context)}; "
                f"{self.kind} reaches no step before its block"
            )
        return self

    @property
    def cuts(self) -> bool:
        """Whether any error within a window is cut off."""
        return self.kind != "full" and not (self.kind == "tf_style" and self.depth is None)

    @property
    def errors_stride(self) -> int:
        """Losses that share one way back: 1 for true_bptt."""
        return 1 if self.kind == "true_bptt" else int(self.stride or 1)

    @property
    def context_steps(self) -> int:
        """Time steps of the graph before its first loss."""
        return (self.depth or 0) - self.errors_stride if self.context else 0

    def effective_depth(self, num_steps: int) -> int:
        """The most cell applications that an error of a window of `num_steps` losses reaches."""
        return min(self.depth or num_steps, num_steps + self.context_steps)

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
        if self.stride and self.depth and self.depth < self.stride:
            raise ValueError(
                f"truncation.depth: expected at least truncation.stride, {self.stride}; "
                f"got {self.depth}"
            )
        one_block = self.stride == num_steps  # its errors share one way back, of any length
        if self.stride and self.depth and self.depth % self.stride and not one_block:
            raise ValueError(
                "truncation.depth: expected a multiple of truncation.stride, "
                f"{self.stride}, where that is not graph.num_steps; got {self.depth}"
            )


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
