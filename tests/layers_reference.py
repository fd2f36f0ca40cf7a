"""Every cell, stack and direction in NumPy, with the gradient of each loss by cell application.

Forward from the equations alone; gradients by complex steps, f'(x) = Im f(x + iε) / ε, which
has no rounding of differences and knows nothing of automatic differentiation (Squire & Trapp
1998). To make one weight's part in one cell application s complex and look at the losses L_t
gives (∂L_t/∂h_t)(∂h_t/∂h_s)(∂⁺h_s/∂θ), the terms of docs/truncation.md, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_graphs.config import ModelConfig

Array = NDArray[Any]
EPSILON = 1e-30
LEAK = float(np.float32(0.2))  # TensorFlow's, an attribute of float32 in every precision


class Example(NamedTuple):
    """A window in plain arrays."""

    inputs: Array  # [time, batch] ids, or [time, batch, num_inputs] features
    labels: Array  # [num_steps, batch]; the losses are those of the last num_steps steps
    state: list[Array]  # its leaves, [batch, size] each
    masks: Sequence[dict[str, Array]] = ()  # by layer and place: [time, batch, width]
    lengths: Array | None = None  # [batch]
    weights: Array | None = None  # [num_steps, batch]


class Pairs(NamedTuple):
    """The effect of every cell application's weights on every loss."""

    losses: Array  # [num_steps, batch]
    final_state: list[Array]  # its leaves, [batch, size] each
    gradients: list[Array]  # by weight: [time s, num_steps t, batch, *weight.shape]


def pairs(config: ModelConfig, weights: Sequence[Array], example: Example) -> Pairs:
    """All terms of all styles' gradients. `weights` in the order of the graph's variables."""
    time = len(example.inputs)
    sizes = [weight.size for weight in weights]
    moved = sum(sizes)  # one weight, at one time step, in each row of a leading axis

    def weights_at(s: int) -> list[Array]:
        parts, first = [], 0
        for weight in weights:
            part = np.tile(weight.astype(complex), [time, moved, *[1] * weight.ndim])
            for place in range(weight.size):
                part[s, first + place].flat[place] += EPSILON * 1j
            parts.append(part.reshape(-1, *weight.shape))
            first += weight.size
        return parts

    losses, final_state = forward(config, weights_at, example)
    terms = losses.imag.reshape(time, moved, *losses.shape[1:]) / EPSILON
    gradients = []
    for weight, part in zip(weights, np.split(terms, np.cumsum(sizes)[:-1], axis=1), strict=True):
        last = np.moveaxis(part, 1, -1)  # [s, t, batch, weight.size]
        gradients.append(last.reshape(*last.shape[:-1], *weight.shape))
    return Pairs(losses[0].real, [leaf[0].real for leaf in final_state], gradients)


def mean_loss(losses: Array, weights: Array | None) -> float:
    """Σ w L / Σ w."""
    return float(np.average(losses, weights=weights))


def gradient(found: Pairs, credit: Array, weights: Array | None) -> list[Array]:
    """Σ_t Σ_s M[t, s] · term of the mean loss; `credit` is [t, s] or, by row, [t, s, batch]."""
    w = np.ones_like(found.losses) if weights is None else weights
    credit = credit.reshape(*credit.shape, 1)[..., :1] if credit.ndim == 2 else credit
    shares = (credit * (w / w.sum())[:, None, :]).swapaxes(0, 1)  # [s, t, batch]
    return [np.tensordot(shares, terms, 3) for terms in found.gradients]


def forward(
    config: ModelConfig, weights_at: Callable[[int], list[Array]], example: Example
) -> tuple[Array, list[Array]]:
    """Losses [rows, num_steps, batch], and the final state's leaves [rows, batch, size].

    weights_at(s): the weights of cell application s, with rows of them on a leading axis.
    """
    time, batch = example.inputs.shape[:2]
    at = [weights_at(s) for s in range(time)]
    rows = len(at[0][0])
    taken = 1 if config.embedding else 0
    if config.embedding:
        x = [at[s][0][:, example.inputs[s]] for s in range(time)]
    else:
        x = [_rows(_one_hot(example.inputs[s], config, at), rows) for s in range(time)]
    lengths = np.full(batch, time) if example.lengths is None else example.lengths
    state, final = [_rows(leaf, rows) for leaf in example.state], []
    for index, size in enumerate(config.state_sizes):
        masks = example.masks[index] if example.masks else {}
        outputs = []
        for direction in (1, -1) if config.bidirectional else (1,):
            parts = _parts(config, size)
            if config.bidirectional:
                leaves = [np.zeros([rows, batch, part], complex) for part in parts]
            else:
                leaves, state = state[: len(parts)], state[len(parts) :]
            mine = slice(taken, taken + _count(config))
            taken = mine.stop
            out: dict[int, Array] = {}
            for s in range(time)[::direction]:
                going_on = (s < lengths)[None, :, None]
                output, new = CELLS[config.cell](
                    config, at[s][mine], x[s] * _mask(masks, "input", s), leaves
                )
                new[-1] = new[-1] * _mask(masks, "state", s)
                out[s] = np.where(going_on, output * _mask(masks, "output", s), 0)
                leaves = [
                    np.where(going_on, part, old) for part, old in zip(new, leaves, strict=True)
                ]
            outputs.append(out)
            final += [] if config.bidirectional else leaves
        x = [np.concatenate([out[s] for out in outputs], -1) for s in range(time)]
    losses = []
    for labels, s in zip(example.labels[::-1], range(time)[::-1], strict=False):
        logits = x[s] @ at[s][-2] + at[s][-1][:, None]
        normalizer = np.log(np.exp(logits).sum(axis=-1))
        losses.append(normalizer - logits[:, range(batch), labels])
    return np.stack(losses[::-1], 1), final


def _rows(part: Array, rows: int) -> Array:
    return np.broadcast_to(part.astype(complex), [rows, *part.shape])


def _one_hot(inputs: Array, config: ModelConfig, at: list[list[Array]]) -> Array:
    """Ids as rows of the identity; features as they are."""
    if inputs.ndim == 2:
        return inputs
    num_inputs = at[0][0].shape[1] - _hidden(config)
    result: Array = np.eye(num_inputs)[inputs]
    return result


def _hidden(config: ModelConfig) -> int:
    return config.projection or config.state_sizes[0]


def _parts(config: ModelConfig, size: int) -> list[int]:
    """The sizes of the leaves of one layer's state."""
    return [size, config.projection or size] if "lstm" in config.cell else [size]


def _count(config: ModelConfig) -> int:
    """How many variables one cell has."""
    if config.layer_norm:  # a kernel, its gains and its shifts
        return 6 if "gru" in config.cell else 3
    more = 3 * config.peepholes + (config.projection is not None)
    return 4 if "gru" in config.cell else 2 + more


def _mask(masks: dict[str, Array], place: str, s: int) -> Any:
    return masks[place][s] if place in masks else 1.0


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^−z)."""
    result: Array = 1 / (1 + np.exp(-z))
    return result


def _relu(z: Array) -> Array:
    return np.where(z.real > 0, z, 0)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": _relu,
    "relu6": lambda z: np.where(z.real < 6, _relu(z), 6),
    "leaky_relu": lambda z: np.where(z.real > 0, z, LEAK * z),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "softsign": lambda z: z / (1 + np.where(z.real > 0, z, -z)),
    "sigmoid": sigmoid,
    "crelu": lambda z: np.concatenate([_relu(z), _relu(-z)], -1),
}


def _affine(W: Array, b: Array, *parts: Array) -> Array:
    result: Array = np.concatenate(parts, -1) @ W + b[:, None]
    return result


def _product(W: Array, *parts: Array) -> Array:
    result: Array = np.concatenate(parts, -1) @ W
    return result


def _normalized(z: Array, gain: Array, shift: Array, place: int) -> Array:
    """Ba, Kiros & Hinton 2016, eq. 4, with the ε of r2rt's code."""
    centred = z - z.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    result: Array = gain[:, place, None] * scaled + shift[:, place, None]
    return result


def _normalized_gru(
    config: ModelConfig, w: list[Array], x: Array, h: Array
) -> tuple[Array, list[Array]]:
    r, u = np.split(_product(w[0], x, h), 2, -1)
    r, u = (sigmoid(_normalized(z, w[1], w[2], place)) for place, z in enumerate((r, u)))
    z = _product(w[3], x, r * h)
    candidate = ACTIVATIONS[config.activation or "tanh"](_normalized(z, w[4], w[5], 0))
    h = u * h + (1 - u) * candidate
    return h, [h]


def _plain(
    config: ModelConfig, w: list[Array], x: Array, state: list[Array]
) -> tuple[Array, list[Array]]:
    """h = φ([x, h] W + b), or with the product normalized in the place of the bias."""
    if config.layer_norm:
        z = _product(w[0], x, state[0])
        h = ACTIVATIONS[config.activation or "tanh"](_normalized(z, w[1], w[2], 0))
        return h, [h]
    h = ACTIVATIONS[config.activation or "tanh"](_affine(w[0], w[1], x, state[0]))
    return h, [h]


def _gru(
    config: ModelConfig, w: list[Array], x: Array, state: list[Array]
) -> tuple[Array, list[Array]]:
    """Cho et al. 2014: r resets what the candidate sees of h, u is the share of h that stays."""
    (h,) = state
    if config.layer_norm:
        return _normalized_gru(config, w, x, h)
    r, u = np.split(sigmoid(_affine(w[0], w[1], x, h)), 2, -1)
    candidate = ACTIVATIONS[config.activation or "tanh"](_affine(w[2], w[3], x, r * h))
    h = u * h + (1 - u) * candidate
    return h, [h]


def _lstm(
    config: ModelConfig, w: list[Array], x: Array, state: list[Array]
) -> tuple[Array, list[Array]]:
    """Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate, bias 1 added), Sak 2014."""
    act, more = ACTIVATIONS[config.activation or "tanh"], list(w[2:])
    c, h = state
    forget_bias = 1 if config.forget_bias is None else config.forget_bias
    if config.layer_norm:
        parts = np.split(_product(w[0], x, h), 4, -1)
        i, j, f, o = (_normalized(z, w[1], w[2], place) for place, z in enumerate(parts))
        c = sigmoid(f + forget_bias) * c + sigmoid(i) * act(j)
        h = sigmoid(o) * act(_normalized(c, w[1], w[2], 4))
        return h, [c, h]
    i, j, f, o = np.split(_affine(w[0], w[1], x, h), 4, -1)
    peephole_f, peephole_i, peephole_o = (
        [more.pop(0)[:, None] for _ in range(3)] if config.peepholes else [0.0] * 3
    )
    c = sigmoid(f + forget_bias + peephole_f * c) * c + sigmoid(i + peephole_i * c) * act(j)
    if config.cell_clip is not None:
        limit = config.cell_clip
        c = np.where(abs(c.real) < limit, c, np.sign(c.real) * limit)
    h = sigmoid(o + peephole_o * c) * act(c)
    if config.projection is not None:
        h = h @ more.pop(0)
    return h, [c, h]


Cell = Callable[[ModelConfig, list[Array], Array, list[Array]], tuple[Array, list[Array]]]
CELLS: dict[str, Cell] = {
    "scratch": _plain,
    "basic_rnn": _plain,
    "gru": _gru,
    "basic_lstm": _lstm,
    "lstm": _lstm,
    "scratch_lstm": _lstm,
    "scratch_gru": _gru,
}
