"""Sparse influences: of ∂h/∂θ, only the entries that a mask keeps.

Units of the same color are never reached by the same parameter, so their entries fit in one row:
[batch, colors, parameters] in place of [batch, units, parameters]. A tanh cell whose parameters
reach one unit each has a single color, an LSTM has two, c and h.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_graphs.cells.layouts import Mask, RecurrentLayout, colors
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.linearized import LinearizedWindow

Tensor = Any


class Pattern:
    """The entries of ∂h/∂θ that a mask keeps, and products with them."""

    def __init__(self, layout: RecurrentLayout, mask: Mask) -> None:
        """mask: [units, columns of all variables]."""
        self._units, self.parameters = layout.units, layout.parameters
        self._colors = colors(mask)
        self.count = int(max(self._colors)) + 1
        kept = layout.by_parameter(mask)  # [units, parameters]
        self._mask = kept
        # [colors, parameters]: the unit that a parameter reaches in each color, and whether.
        self._unit = np.zeros([self.count, self.parameters], np.int32)
        self._reached = np.zeros([self.count, self.parameters], bool)
        for unit, color in enumerate(self._colors):
            self._unit[color, kept[unit]] = unit
            self._reached[color] |= kept[unit]

    @property
    def _is_sparse(self) -> bool:
        """Whether gathering colors² entries of a Jacobian is less than a product with it."""
        return bool(self.count**2 < self._units)

    def immediate(self, window: LinearizedWindow, scale: Tensor | None = None) -> Tensor:
        """Σ_t scale_t ∂⁺h_t/∂θ, [batch, colors, parameters]; scale: [batch, time].

        The mask must keep all that one application reaches.
        """
        ones = tf.ones([window.batch, window.time], window.dtype) if scale is None else scale
        slots = np.equal.outer(self._colors, np.arange(self.count))  # [units, colors]
        errors = ones[..., None, None] * tf.constant(slots, window.dtype)
        new = window.row_gradients(window.pull_each(errors).at_products)
        return self._kept(tf.linalg.matrix_transpose(new))

    def dense(self, entries: Tensor) -> Tensor:
        """[batch, colors, parameters] → [batch, units, parameters]."""
        spread = entries
        if self.count > 1:
            spread = tf.gather(entries, self._colors, axis=1)
        return _where(self._mask, spread)

    def from_dense(self, dense: Tensor) -> Tensor:
        """The kept entries of [batch, units, parameters], [batch, colors, parameters]."""
        kept = _where(self._mask, dense)
        of_color = [np.flatnonzero(self._colors == color) for color in range(self.count)]
        rows = [tf.reduce_sum(tf.gather(kept, units, axis=1), 1) for units in of_color]
        return tf.stack(rows, 1)

    def times(self, jacobian: Tensor, entries: Tensor) -> Tensor:
        """The kept entries of a product, [batch, units, units] × [batch, colors, parameters]."""
        if not self._is_sparse:
            return self.from_dense(tf.matmul(jacobian, self.dense(entries)))
        batch = int(jacobian.shape[0])
        flat = tf.reshape(jacobian, [batch, self._units**2])
        index = self._unit[:, None] * self._units + self._unit[None]  # [new, old, parameters]
        factors = tf.gather(flat, index.reshape(-1), axis=1)
        factors = tf.reshape(factors, [batch, self.count, self.count, self.parameters])
        return self._kept(tf.reduce_sum(factors * entries[:, None], 2))

    def product(self, errors: Tensor, entries: Tensor) -> Tensor:
        """Σ over rows and units of errors [batch, units] × entries. [parameters]."""
        factors = tf.gather(errors, self._unit.reshape(-1), axis=1)
        factors = tf.reshape(factors, [-1, self.count, self.parameters])
        return tf.reduce_sum(factors * entries, [0, 1])

    def _kept(self, entries: Tensor) -> Tensor:
        return _where(self._reached, entries)


def _where(mask: Mask, entries: Tensor) -> Tensor:
    """The entries that a mask keeps, else 0."""
    if mask.all():
        return entries
    # Not a product: TensorFlow's rewriting of graphs does not end where products with constants
    # follow each other in a certain way.
    return tf.where_v2(mask, entries, tf.zeros([], entries.dtype))
