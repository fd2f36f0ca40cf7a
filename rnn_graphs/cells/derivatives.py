"""The derivatives of one cell application, written out for every cell with a layout.

A cell multiplies by its weights: z = [x, h, 1] [W; b], or z = w ⊙ c for a peephole. `linearize`
applies it to many rows at once and keeps the slopes of everything else, unit by unit. `pull` then
takes errors at the new state back to each z, to the old state and to the inputs. The gradient of W
is the product of what it multiplies with the error at z.

Errors are [..., units, slots]: several of them pass through the same application side by side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rnn_graphs.autodiff import gradients
from rnn_graphs.cells.activations import activation
from rnn_graphs.cells.influence_balancing import linear_system
from rnn_graphs.tf1 import tf

Tensor = Any
Parts = list[Tensor]  # of a state, or of an error at one


class Factor(NamedTuple):
    """What a weight multiplies in each row."""

    values: Tensor  # [..., rows of the weight]; by_column: [..., columns]
    by_column: bool = False  # whether each column multiplies a value of its own: a peephole


class Linearized(NamedTuple):
    """A cell application in many rows, as its derivatives need it."""

    factors: list[Factor]  # of each matrix with its bias, and of each other weight
    slopes: tuple[Tensor, ...]  # [..., units] each
    output: Tensor  # [..., output_size]


class Pulled(NamedTuple):
    """Errors taken back through one application."""

    at_products: list[Tensor]  # of each factor, [..., columns, slots]
    at_state: Parts  # the old one, [..., units, slots] each
    at_inputs: Tensor  # [..., input_size, slots]


class CellDerivatives(ABC):
    """The derivatives of a cell. Weights come in the order in which the cell creates them."""

    @abstractmethod
    def linearize(self, weights: Sequence[Tensor], x: Tensor, state: Parts) -> Linearized:
        """One application in each row: x [..., input_size], state [..., units] each."""

    @abstractmethod
    def pull(self, weights: Sequence[Tensor], slopes: Sequence[Tensor], errors: Parts) -> Pulled:
        """Errors at the new state, [..., units, slots] each; slopes [..., units, 1]."""


class RecurrentLayer(NamedTuple):
    """One layer of a model."""

    derivatives: CellDerivatives
    variables: list[Any]  # in the order of creation
    sizes: tuple[int, ...]  # units of each part of the state
    masks: tuple[str, ...]  # the places of its dropout, in the order of the masks


class OneProduct(CellDerivatives):
    """h = f([x, h] W + b). With crelu, f gives two units for each column."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """function: f."""
        self._function = function

    def linearize(self, weights: Sequence[Tensor], x: Tensor, state: Parts) -> Linearized:
        inputs = _with_one(x, *state)
        z = _affine(inputs, weights)
        new = self._function(z)
        copies = tf.split(new, _width(new) // _width(z), -1)
        slopes = tf.concat([_slope(part, z) for part in copies], -1)
        return Linearized([Factor(inputs)], (slopes,), new)

    def pull(self, weights: Sequence[Tensor], slopes: Sequence[Tensor], errors: Parts) -> Pulled:
        W, _ = weights
        at_units = errors[0] * slopes[0]
        at_z = _sum(tf.split(at_units, _units(at_units) // int(W.shape[1]), -2))
        of_x, of_h = _split_rows(W, _units(at_units))
        return Pulled([at_z], [_back(at_z, of_h)], _back(at_z, of_x))


class GRU(CellDerivatives):
    """r, u = σ([x, h] W + b), c = f([x, r ⊙ h] W′ + b′), h = u ⊙ h + (1 − u) ⊙ c."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """function: f."""
        self._function = function

    def linearize(self, weights: Sequence[Tensor], x: Tensor, state: Parts) -> Linearized:
        (h,) = state
        before = _with_one(x, h)
        r, u = tf.split(tf.sigmoid(_affine(before, weights[:2])), 2, -1)
        reset = _with_one(x, r * h)
        z = _affine(reset, weights[2:])
        c = self._function(z)
        to_u = (h - c) * u * (1 - u)
        to_r = h * r * (1 - r)
        slopes = (u, (1 - u) * _slope(c, z), to_u, to_r, r)
        return Linearized([Factor(before), Factor(reset)], slopes, u * h + (1 - u) * c)

    def pull(self, weights: Sequence[Tensor], slopes: Sequence[Tensor], errors: Parts) -> Pulled:
        (error,), (u, to_c, to_u, to_r, r) = errors, slopes
        (of_x, of_h), (of_x_c, of_h_c) = (
            _split_rows(W, _units(error)) for W in (weights[0], weights[2])
        )
        at_c = error * to_c
        at_reset = _back(at_c, of_h_c)
        at_gates = tf.concat([at_reset * to_r, error * to_u], -2)
        at_h = error * u + at_reset * r + _back(at_gates, of_h)
        return Pulled([at_gates, at_c], [at_h], _back(at_gates, of_x) + _back(at_c, of_x_c))


class LSTM(CellDerivatives):
    """TensorFlow's LSTM, with the peepholes w, the clipping and the projection P if it has them.

    With [i, g, f, o] = [x, h] W + b, where f, i and o also get w_f ⊙ c, w_i ⊙ c and w_o ⊙ c′:

        c′ = clip(σ(f + bias) ⊙ c + σ(i) ⊙ φ(g))
        h′ = σ(o) ⊙ φ(c′) P
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        forget_bias: float,
        clip: float | None,
        has_peepholes: bool,
    ) -> None:
        """function: φ."""
        self._function = function
        self._forget_bias = forget_bias
        self._clip = clip
        self._has_peepholes = has_peepholes

    def linearize(self, weights: Sequence[Tensor], x: Tensor, state: Parts) -> Linearized:
        c, h = state
        inputs, (w_f, w_i, w_o), P = _with_one(x, h), self._peepholes(weights), self._rest(weights)
        i, g, f, o = tf.split(_affine(inputs, weights[:2]), 4, -1)
        f, i = tf.sigmoid(f + self._forget_bias + w_f * c), tf.sigmoid(i + w_i * c)
        candidate = self._function(g)
        unclipped = f * c + i * candidate
        new_c, passes = unclipped, tf.ones_like(c)
        if self._clip is not None:
            new_c = tf.clip_by_value(unclipped, -self._clip, self._clip)
            passes = _slope(new_c, unclipped)
        o, shown = tf.sigmoid(o + w_o * new_c), self._function(new_c)
        new_h = o * shown
        slopes = (
            shown * o * (1 - o), o * _slope(shown, new_c), passes, candidate * i * (1 - i),
            i * _slope(candidate, g), c * f * (1 - f), f,
        )  # fmt: skip
        factors = [Factor(inputs)]
        if self._has_peepholes:
            factors += [Factor(c, True), Factor(c, True), Factor(new_c, True)]
        factors += [Factor(new_h)] * len(P)
        return Linearized(factors, slopes, _product(new_h, *P) if P else new_h)

    def pull(self, weights: Sequence[Tensor], slopes: Sequence[Tensor], errors: Parts) -> Pulled:
        P = self._rest(weights)
        w_f, w_i, w_o = (_column(w) for w in self._peepholes(weights))
        at_c, at_h = errors
        to_o, to_new_c, passes, to_i, to_g, to_f, f = slopes
        of_x, of_h = _split_rows(weights[0], _units(at_h))
        at_output = _back(at_h, *P) if P else at_h
        at_o = at_output * to_o
        at_c = (at_c + at_output * to_new_c + at_o * w_o) * passes
        at_i, at_g, at_f = at_c * to_i, at_c * to_g, at_c * to_f
        at_z = tf.concat([at_i, at_g, at_f, at_o], -2)
        at_products = [at_z]
        if self._has_peepholes:
            at_products += [at_f, at_i, at_o]
        at_products += [at_h] * len(P)
        at_state = [at_c * f + at_f * w_f + at_i * w_i, _back(at_z, of_h)]
        return Pulled(at_products, at_state, _back(at_z, of_x))

    def _peepholes(self, weights: Sequence[Tensor]) -> Sequence[Tensor | float]:
        """w_f, w_i, w_o."""
        return weights[2:5] if self._has_peepholes else (0.0, 0.0, 0.0)

    def _rest(self, weights: Sequence[Tensor]) -> Sequence[Tensor]:
        """P, or nothing."""
        return weights[5 if self._has_peepholes else 2 :]


class InfluenceBalancing(CellDerivatives):
    """h = A h + θ d, with A and d of `linear_system`."""

    def linearize(self, weights: Sequence[Tensor], _x: Tensor, state: Parts) -> Linearized:
        (h,) = state
        A, d = linear_system(_width(h))
        new = _product(h, tf.constant(A.T, h.dtype)) + weights[0] * tf.constant(d, h.dtype)
        return Linearized([Factor(tf.ones_like(h[..., :1]))], (), new)

    def pull(self, _weights: Sequence[Tensor], _slopes: Sequence[Tensor], errors: Parts) -> Pulled:
        (error,) = errors
        A, d = linear_system(_units(error))
        at_theta = _back(error, tf.constant(d[None], error.dtype))
        at_h = _back(error, tf.constant(A.T, error.dtype))
        return Pulled([at_theta], [at_h], tf.zeros_like(at_theta))  # inputs are ignored


def one_product(config: Any) -> CellDerivatives:
    """Of the config's activation."""
    return OneProduct(activation(config.activation))


def gru(config: Any) -> CellDerivatives:
    """Of the config's activation."""
    return GRU(activation(config.activation))


def lstm(config: Any) -> CellDerivatives:
    """With the config's options."""
    bias = config.added_to_forget_gate
    return LSTM(activation(config.activation), bias, config.cell_clip, config.peepholes)


def influence_balancing(_config: Any) -> CellDerivatives:
    """Without options."""
    return InfluenceBalancing()


def _with_one(*parts: Tensor) -> Tensor:
    """Side by side, with a column of ones that multiplies the bias."""
    return tf.concat([*parts, tf.ones_like(parts[0][..., :1])], -1)


def _affine(inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
    W, b = weights
    return _product(inputs, tf.concat([W, b[None]], 0))


def _slope(result: Tensor, argument: Tensor) -> Tensor:
    """The derivative of a function by element."""
    return gradients([result], [argument], [tf.ones_like(result)])[0]


def _product(rows: Tensor, matrix: Tensor) -> Tensor:
    """[..., n] times [n, columns], as one product of all rows."""
    flat = tf.matmul(tf.reshape(rows, [-1, _width(rows)]), matrix)
    return tf.reshape(flat, [*rows.shape[:-1], int(matrix.shape[1])])


def _back(errors: Tensor, matrix: Tensor) -> Tensor:
    """Errors at the results of `_product`, [..., columns, slots], taken to [..., n, slots]."""
    if int(errors.shape[-1]) > 1:
        return tf.matmul(matrix, errors)
    flat = tf.matmul(tf.reshape(errors, [-1, _units(errors)]), matrix, transpose_b=True)
    return tf.reshape(flat, [*errors.shape[:-2], int(matrix.shape[0]), 1])


def _split_rows(W: Tensor, units: int) -> tuple[Tensor, Tensor]:
    """The rows for the inputs, and those for the old output."""
    return W[:-units], W[-units:]


def _sum(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else tf.add_n(parts)


def _column(weight: Tensor | float) -> Tensor | float:
    """A weight of each unit, beside slots."""
    return weight if isinstance(weight, float) else weight[:, None]


def _width(part: Tensor) -> int:
    return int(part.shape[-1])


def _units(errors: Tensor) -> int:
    return int(errors.shape[-2])
