"""Styles that carry an influence, compared with rtrl: rows, means and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.console import print_table
from experiments.gradients.carried import Beyond
from experiments.gradients.error import GradientError
from experiments.gradients.rows import Row, header, shown_moments, spread_of


def rows_beyond(beyond: Sequence[Beyond]) -> Iterator[Row]:
    """The rows of gradients.csv that compare a style with rtrl."""
    for one in beyond:
        for quantity, value in one.error._asdict().items():
            name = f"{quantity}_to_rtrl"
            yield Row(one.seed, one.updates, one.window, name, value, style=one.style)


def summary_beyond(beyond: Sequence[Beyond], updates: Sequence[int]) -> dict[str, Any]:
    """Means over seeds and windows, by style and moment; empty if rtrl was not run."""
    if not beyond:
        return {}
    moments = shown_moments(updates)
    return {
        f"{quantity}_to_rtrl": {
            style: {
                name: float(np.mean(_of(beyond, style, updates[at], quantity)))
                for name, at in moments.items()
            }
            for style in dict.fromkeys(one.style for one in beyond)
        }
        for quantity in GradientError._fields
    }


def _of(
    beyond: Sequence[Beyond], style: str, updates: int, quantity: str
) -> NDArray[np.float64]:  # fmt: skip
    return np.array(
        [
            getattr(one.error, quantity)
            for one in beyond
            if (one.style, one.updates) == (style, updates)
        ]
    )


def print_beyond(beyond: Sequence[Beyond], updates: Sequence[int]) -> None:
    """Print each style with an influence compared with rtrl, whose gradient is exact."""
    if not beyond:
        return
    shown = shown_moments(updates)
    for quantity, title in (
        ("relative_error", "relative error against rtrl, all windows"),
        ("cosine", "cosine with rtrl, all windows"),
    ):
        table = [
            [
                style,
                *[spread_of(_of(beyond, style, updates[at], quantity)) for at in shown.values()],
            ]
            for style in dict.fromkeys(one.style for one in beyond)
        ]
        print_table([title, *map(header, shown)], table)
        print()
