"""The gates of a cell at each time step, from its weights and the states that it passed through.

Plain NumPy: a trained cell returns its states, not its gates. `weights` are the arrays of one
layer, in the order in which the cell creates them. Shapes: x [time, input_size]; before, after: the
parts of the state around each application, [time, units]. config: the CellConfig.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = 1e-5  # of rnn_graphs/cells/layer_norm.py


def lstm(
    config: Any,
    weights: Sequence[Array],
    x: Array,
    before: Sequence[Array],
    after: Sequence[Array],
) -> dict[str, Array]:
    """Input, forget and output gate (0: closed, 1: open), and the candidate for c."""
    (c, h), (new_c, _) = before, after
    i, j, f, o = _pre_activations(config, weights, np.concatenate([x, h], 1), 4)
    if config.peepholes:
        of_f, of_i, of_o = weights[2:5]
        f, i, o = f + of_f * c, i + of_i * c, o + of_o * new_c
    return {
        "input gate": _sigmoid(i),
        "forget gate": _sigmoid(f + config.added_to_forget_gate),
        "output gate": _sigmoid(o),
        "candidate": activate(config, j),
    }


def gru(
    config: Any,
    weights: Sequence[Array],
    x: Array,
    before: Sequence[Array],
    _after: Sequence[Array],
) -> dict[str, Array]:
    """Reset gate, update gate (1 keeps the unit as it is) and the candidate for h."""
    (h,) = before
    count = len(weights) // 2
    r, u = map(_sigmoid, _pre_activations(config, weights[:count], np.concatenate([x, h], 1), 2))
    (z,) = _pre_activations(config, weights[count:], np.concatenate([x, r * h], 1), 1)
    return {"reset gate": r, "update gate": u, "candidate": activate(config, z)}


def _pre_activations(
    config: Any, weights: Sequence[Array], inputs: Array, count: int
) -> list[Array]:
    """inputs W + b as `count` parts, or each part normalized where the cell normalizes."""
    parts = np.split(inputs @ weights[0], count, 1)
    if not config.layer_norm:
        biases = np.split(weights[1], count)
        return [part + bias for part, bias in zip(parts, biases, strict=True)]
    gains, shifts = weights[1:3]
    return [_normalized(part, gains[k], shifts[k]) for k, part in enumerate(parts)]


def _normalized(z: Array, gain: Array, shift: Array) -> Array:
    centred = z - z.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
    result: Array = gain * centred / deviation + shift
    return result


def _sigmoid(z: Array) -> Array:
    result: Array = 0.5 * (1 + np.tanh(0.5 * z))
    return result


def activate(config: Any, z: Array) -> Array:
    """The cell's activation."""
    return ACTIVATIONS[config.activation or "tanh"](z)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.logaddexp(0, z),
    "softsign": lambda z: z / (1 + abs(z)),
    "sigmoid": _sigmoid,
}
