"""All styles of truncation, one entry each. To add a style, add an entry to STYLES.

Cell application s maps (h_{s−1}, x_s) to h_s with weights θ; L_t is the loss at t. Every
style estimates the gradient of the mean loss as

    ĝ = Σ_t Σ_s M[t,s] · (∂L_t/∂h_t)(∂h_t/∂h_s)(∂⁺h_s/∂θ)

and is defined by its credit matrix M. An entry holds M, the function that computes ĝ, and the
traits that the rest of the program reads (style.py); no other file compares names of styles. The
entries that carry credit beyond the window are in forward_mode.py. Configs are checked without
TensorFlow, so this file does not import it; the functions that compute ĝ do when they are called.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from rnn_graphs.section import Section
from rnn_graphs.truncation.chosen_depth import ADAPTIVE
from rnn_graphs.truncation.forward_mode import FORWARD_MODE, check_layout
from rnn_graphs.truncation.style import Matrix, Steps, Style, all_steps, cuts_nothing

__all__ = ["STYLES", "Style", "TruncationConfig", "kinds_that_cut_nothing"]

if TYPE_CHECKING:
    from rnn_graphs.cells.layouts import RecurrentLayout
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.unrolls import UnrollFunction


WINDOWS_BEFORE = 2  # that a credit matrix shows, if a style reaches them


class TruncationConfig(Section):
    """How far errors flow back. A key that the style does not use must keep its default."""

    kind: str
    depth: int | None = Field(default=None, ge=1)
    stride: int | None = Field(default=None, ge=1)
    context: bool = False
    cut_probability: float | None = Field(default=None, ge=0, lt=1)
    leak: float | None = Field(default=None, ge=0, le=1)
    order: int | None = Field(default=None, ge=1)
    tolerance: float | None = Field(default=None, gt=0)
    least: int | None = Field(default=None, ge=1)
    most: int | None = Field(default=None, ge=1)

    @field_validator("kind")
    @classmethod
    def _is_a_style(cls, kind: str) -> str:
        if kind not in STYLES:
            raise ValueError(f"expected one of {', '.join(STYLES)}; got {kind!r}")
        return kind

    @model_validator(mode="after")
    def _keys_are_those_of_the_style(self) -> TruncationConfig:
        needs, takes = self.style.needs, self.style.takes
        for key, field in type(self).model_fields.items():
            given = getattr(self, key) != field.default
            if key != "kind" and given and key not in (*needs, *takes):
                users = [
                    kind for kind, style in STYLES.items() if key in (*style.needs, *style.takes)
                ]
                raise ValueError(f"{key} is for {', '.join(users)}; {self.kind} does not use it")
            if not given and key in needs:
                raise ValueError(f"{self.kind} needs {key}; got null")
        return self

    @property
    def style(self) -> Style:
        """The traits of the style."""
        return STYLES[self.kind]

    @property
    def cuts(self) -> bool:
        """Whether any error within a window is cut off."""
        return self.style.cuts(self)

    @property
    def errors_stride(self) -> int:
        """The number of losses whose errors flow back together, which is 1 for true_bptt."""
        return self.stride or 1

    @property
    def context_steps(self) -> int:
        """Time steps of the graph before its first loss."""
        if self.most is not None:
            return self.most - 1
        return (self.depth or 0) - self.errors_stride if self.context else 0

    @property
    def chooses(self) -> bool:
        """Whether the depth is chosen anew each epoch."""
        return self.style.depths is not None

    def depths(self, num_steps: int) -> list[int]:
        """The depths that it chooses from, ascending."""
        assert self.style.depths is not None
        return self.style.depths(self, num_steps)

    def steps_before(self, num_steps: int) -> int:
        """Time steps before a window at which M is shown: the context, or two earlier windows."""
        beyond = self.carries
        return WINDOWS_BEFORE * num_steps if beyond else self.context_steps

    def effective_depth(self, num_steps: int) -> int:
        """The most cell applications that an error of a window of `num_steps` losses reaches."""
        return self.style.effective_depth(self, num_steps)

    def check_window(self, num_steps: int) -> None:
        """Raise ValueError, naming the key, if a window of `num_steps` losses does not fit."""
        self.style.check(self, num_steps)

    def check_model(self, model: Any) -> None:
        """Raise ValueError, naming the key, if the style cannot train a `ModelConfig`."""
        if self.carries:
            check_layout(self.kind, model)
        self.style.check_model(self, model)

    @property
    def carries(self) -> bool:
        """Whether an influence is carried from window to window."""
        return self.style.influence is not None

    def carried_numbers(self, layout: RecurrentLayout) -> int:
        """The numbers of the influence that each row carries."""
        return self.style.carried(self, layout)

    def first_influence(self, model: StepModel, batch_size: int, num_steps: int) -> Any:
        """The influence at the start of a sequence: nested tensors; () if none is carried.

        Of a style that chooses its depth, the index of the largest.
        """
        if self.chooses:
            from rnn_graphs.truncation.adaptive import largest_depth

            return largest_depth(self, num_steps)
        influence = self.style.influence
        if influence is None:
            return ()
        return influence(self, model, num_steps).first(model, batch_size)

    def step(self, model: StepModel, unroll: UnrollFunction, window: Window) -> Step:
        """One training step of the style."""
        return self.style.step(model, unroll, self, window)


def kinds_that_cut_nothing() -> list[str]:
    """The styles that cut no error if no other key is given."""
    alone = [TruncationConfig(kind=kind) for kind, style in STYLES.items() if not style.needs]
    return [truncation.kind for truncation in alone if not truncation.cuts]


# full


def _full(
    model: StepModel, unroll: UnrollFunction, _truncation: TruncationConfig, window: Window
) -> Step:
    from rnn_graphs.truncation.step import full

    return full(model, unroll, window)


# tf_style


def _same_block(t: Steps, s: Steps, truncation: TruncationConfig, num_steps: int) -> Matrix:
    depth = truncation.depth or num_steps
    return np.asarray(s // depth == t // depth)


def _in_blocks(
    model: StepModel, unroll: UnrollFunction, truncation: TruncationConfig, window: Window
) -> Step:
    from rnn_graphs.truncation.step import full, in_blocks

    if truncation.depth is None:
        return full(model, unroll, window)
    return in_blocks(model, unroll, window, truncation.depth)


def _blocks_are_equal(truncation: TruncationConfig, num_steps: int) -> None:
    if truncation.depth and num_steps % truncation.depth:
        raise ValueError(
            f"truncation.depth: tf_style cuts graph.num_steps, {num_steps}, in blocks of equal "
            f"depth; got {truncation.depth}"
        )


def _has_blocks(truncation: TruncationConfig) -> bool:
    return truncation.depth is not None


# true_bptt and williams_peng


def _from_the_end_of_its_group(
    t: Steps, s: Steps, truncation: TruncationConfig, num_steps: int
) -> Matrix:
    stride = truncation.errors_stride
    end = (t // stride + 1) * stride - 1
    return s > end - (truncation.depth or num_steps)


def _windowed(
    model: StepModel, unroll: UnrollFunction, truncation: TruncationConfig, window: Window
) -> Step:
    from rnn_graphs.truncation.step import windowed

    assert truncation.depth is not None
    return windowed(model, unroll, window, truncation.depth, truncation.errors_stride)


def _stride_divides(truncation: TruncationConfig, num_steps: int) -> None:
    depth, stride = truncation.depth, truncation.stride
    assert depth is not None
    assert stride is not None
    if num_steps % stride:
        raise ValueError(
            f"truncation.stride: expected a divisor of graph.num_steps, {num_steps}; got {stride}"
        )
    if depth < stride:
        raise ValueError(
            f"truncation.depth: expected at least truncation.stride, {stride}; got {depth}"
        )
    one_block = stride == num_steps  # all errors flow back together, over any depth
    if depth % stride and not one_block:
        raise ValueError(
            "truncation.depth: expected a multiple of truncation.stride, "
            f"{stride}, unless the stride is graph.num_steps; got {depth}"
        )


# artbp


def _random_gates(
    model: StepModel, unroll: UnrollFunction, truncation: TruncationConfig, window: Window
) -> Step:
    from rnn_graphs.truncation.step import artbp

    assert truncation.cut_probability is not None
    return artbp(model, unroll, window, truncation.cut_probability)


def _deviation_of_gates(truncation: TruncationConfig, boundaries: Steps) -> Matrix:
    """√(Var M). Each boundary multiplies by 0 with probability c and by 1/(1−c) otherwise.

    The square of this factor has the mean 1/(1−c).
    """
    chance = truncation.cut_probability or 0.0
    with np.errstate(over="ignore"):
        return np.asarray(np.sqrt((1 - chance) ** -boundaries.astype(float) - 1.0))


def _steps_between_cuts(truncation: TruncationConfig, num_steps: int) -> float:
    return 1 / truncation.cut_probability if truncation.cut_probability else num_steps


# The settings that `gradients` compares: depths that double, and end with num_steps.


def _doubling(num_steps: int) -> list[int]:
    doubling = (2**power for power in itertools.count())
    return [*itertools.takewhile(lambda depth: depth < num_steps, doubling), num_steps]


def _divisors(num_steps: int) -> list[int]:
    """For each of those depths, the largest divisor of num_steps that does not exceed it."""
    return sorted(
        {
            next(divisor for divisor in range(depth, 0, -1) if num_steps % divisor == 0)
            for depth in _doubling(num_steps)
        }
    )


STYLES: dict[str, Style] = {
    "full": Style(all_steps, _full, cuts=cuts_nothing),
    # Williams & Peng 1990: epochwise BPTT(depth; depth).
    "tf_style": Style(
        _same_block,
        _in_blocks,
        takes=("depth",),
        check=_blocks_are_equal,
        cuts=_has_blocks,
        compared=lambda num_steps: [{"depth": depth} for depth in _divisors(num_steps)],
    ),
    # BPTT(depth) = BPTT(depth; 1): each error on its own.
    "true_bptt": Style(
        _from_the_end_of_its_group,
        _windowed,
        needs=("depth",),
        takes=("context",),
        copies=2.7,
        compared=lambda num_steps: [{"depth": depth} for depth in _doubling(num_steps)],
    ),
    # BPTT(depth; stride): errors in groups of stride.
    "williams_peng": Style(
        _from_the_end_of_its_group,
        _windowed,
        needs=("depth", "stride"),
        takes=("context",),
        copies=1.6,
        check=_stride_divides,
        compared=lambda num_steps: [
            {"depth": 2 * stride, "stride": stride}
            for stride in _divisors(num_steps)
            if 2 * stride <= num_steps
        ],
        compared_as="stride: depth / 2",
    ),
    # Tallec & Ollivier 2017, section 3: M is the product over the boundaries between s and t of
    # 0 with probability c, else 1/(1−c); its mean is the M of full.
    "artbp": Style(
        all_steps,
        _random_gates,
        needs=("cut_probability",),
        deviation=_deviation_of_gates,
        compared=lambda num_steps: [
            {"cut_probability": 1 / depth} for depth in _doubling(num_steps)[1:]
        ],
        axis_depth=_steps_between_cuts,
        axis_meaning="mean steps between cuts",
    ),
    # BPTT(2K − 1; K), with K chosen at the start of each epoch.
    "adaptive": ADAPTIVE,
    **FORWARD_MODE,
}
