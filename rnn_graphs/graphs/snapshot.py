"""Save every variable of a graph, and restore it."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnn_graphs.tf1 import tf

Tensor = Any


class Snapshot(NamedTuple):
    """Every variable of a graph, saved by fetching and restored by feeding."""

    variables: dict[str, Any]  # name → variable
    values: dict[str, Tensor]  # name → placeholder
    restore: tf.Operation  # sets every variable from its placeholder


def make_snapshot(variables: list[Any]) -> Snapshot:
    """Endpoints that save and restore these variables."""
    named = {variable.op.name: variable for variable in variables}
    values = {
        name: tf.placeholder(variable.dtype.base_dtype, variable.shape)
        for name, variable in named.items()
    }
    restore = tf.group(*[named[name].assign(value) for name, value in values.items()])
    return Snapshot(named, values, restore)
