"""The floors of a task: the losses of the best models that know none, some or all of its lags."""

from __future__ import annotations

from collections.abc import Mapping


def halfway(floors: Mapping[str, float]) -> float:
    """The middle of the highest and the lowest floor."""
    return (max(floors.values()) + min(floors.values())) / 2


def middle(floors: Mapping[str, float]) -> float | None:
    """The same, below which a seed has learned; None where there are not two different floors."""
    return halfway(floors) if len(set(floors.values())) > 1 else None
