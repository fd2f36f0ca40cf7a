"""Where windows start: from the end of the window before them, or anew from the first state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_graphs.model import Model


def from_first_state(model: Model, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`step`, with the state of each window replaced by the first one, if windows start anew."""
    if not model.shape.starts_anew or model.config.initial_state == "zero":
        return step

    def started(window: Any) -> Any:
        batch_size = int(window.inputs.shape[1])
        return step(window._replace(state=model.first_state.rows(batch_size, window.key)))

    return started
