"""The rows of gradients.csv, means with their range, and the moments that tables show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-9  # a number nearer to 0 is rounding; gradients.csv has all digits


class Row(NamedTuple):
    """One number of gradients.csv; columns that do not apply to its quantity are empty."""

    seed: int
    updates: int  # of training, before the measurement
    window: int  # 0, 1, …: of the data, the same at every moment of a seed
    quantity: str  # error_signal; relative_error or cosine; these two with _to_rtrl
    value: float
    lag: int | None = None  # of error_signal: k in ‖∂L_t/∂h_{t−k}‖
    style: str = ""  # truncation.kind, and its keys; against full
    depth: int | None = None
    stride: int | None = None
    cut_probability: float | None = None
    draws: int | None = None  # of artbp's gates: the estimate is their mean; 1 for other styles


def spread_of(values: NDArray[np.float64]) -> str:
    """The mean, and the range over seeds and windows."""
    if np.abs(values).max() < ROUNDING:
        return f"under {ROUNDING:g}"
    return f"{values.mean():.3g} ({values.min():.3g}–{values.max():.3g})"


def mean_of_present(
    values: NDArray[np.float64], axes: int | tuple[int, ...]
) -> NDArray[np.float64]:
    """The mean over the axes of the values that are not nan; nan where there is none."""
    return np.asarray(np.ma.masked_invalid(values).mean(axis=axes).filled(np.nan))


def shown_moments(updates: Sequence[int]) -> dict[str, int]:
    """The moments of tables and JSON by name, as places in `updates`."""
    return {"start": 0, "end": len(updates) - 1} if len(updates) > 1 else {"checkpoint": 0}


def header(moment: str) -> str:
    """Of a column of a table."""
    return moment if moment == "checkpoint" else f"{moment} of training"
