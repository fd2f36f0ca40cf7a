"""The entry of STYLES that chooses its depth: adaptive.

Source: Aicher, Foti & Fox 2019, "Adaptively Truncating Backpropagation Through Time to Control
Gradient Bias". experiments/training/adaptive.py estimates the depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnn_graphs.truncation.style import Matrix, Steps, Style, Truncation

if TYPE_CHECKING:
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.unrolls import UnrollFunction


def _at_the_largest_depth(t: Steps, s: Steps, truncation: Truncation, _num_steps: int) -> Matrix:
    """That of the first epoch, BPTT(2K − 1; K) with K = most."""
    assert truncation.most is not None
    end = (t // truncation.most + 1) * truncation.most - 1
    return np.asarray(s > end - (2 * truncation.most - 1))


def _chosen(
    model: StepModel, unroll: UnrollFunction, truncation: Truncation, window: Window
) -> Step:
    from rnn_graphs.truncation.adaptive import adaptive

    depths = truncation.depths(int(window.labels.shape[0]))
    return adaptive(model, unroll, window, depths)


def _divisors_between(truncation: Truncation, num_steps: int) -> list[int]:
    assert truncation.least is not None
    assert truncation.most is not None
    between = range(truncation.least, truncation.most + 1)
    return [depth for depth in between if num_steps % depth == 0]


def _bounds_divide(truncation: Truncation, num_steps: int) -> None:
    assert truncation.least is not None
    assert truncation.most is not None
    for key in ("least", "most"):
        depth = getattr(truncation, key)
        if num_steps % depth:
            raise ValueError(
                f"truncation.{key}: expected a divisor of graph.num_steps, {num_steps}; got {depth}"
            )
    if truncation.least > truncation.most:
        raise ValueError(
            f"truncation.least: expected at most truncation.most, {truncation.most}; "
            f"got {truncation.least}"
        )


def _twice_the_largest(truncation: Truncation, _num_steps: int) -> int:
    assert truncation.most is not None
    return int(2 * truncation.most - 1)


ADAPTIVE = Style(
    _at_the_largest_depth,
    _chosen,
    needs=("tolerance", "least", "most"),
    check=_bounds_divide,
    effective_depth=_twice_the_largest,
    depths=_divisors_between,
    xla_pays=False,
)
