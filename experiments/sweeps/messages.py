"""What the driver, its workers and their children tell each other, in plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Tell = Callable[[dict[str, Any]], None]  # sends a message, which is plain enough for JSON


class Order(NamedTuple):
    """A run to train."""

    name: str
    config: dict[str, Any]
    directory: str


class Orders(NamedTuple):
    """Runs that share a graph, and what their worker must know beside them."""

    runs: tuple[Order, ...]
    folder: str  # to run in: data files may be named relative to it
    children: str  # the name of the plugin that starts their process


class Ended(NamedTuple):
    """How a run ended; the reason is empty where it is complete."""

    name: str
    reason: str
