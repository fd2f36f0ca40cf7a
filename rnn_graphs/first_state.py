"""The state before the first input of a window that starts anew.

zero: the cell's own first state. learned: a variable for each part of the state, the same for every
row, which is added to it and starts as zeros. noisy: Gaussian noise on the state, new in each
window, and none outside training. learned_noisy: both. Source: S. Pitis, "Non-Zero Initial States
for Recurrent Neural Networks" (r2rt, 2016).

The error at the state flows back from the first step of the window alone, so ∂loss/∂h₀ of a
learned state is Σ_t M[t, 0] ∂L_t/∂h₀: each style cuts it as it cuts the error at the first step.
Two styles have a factor more there, because M[t, 0] ends at the state after the first step: rflo,
whose errors pass by its leak alone, lets λ^(t+1) ∂L_t/∂h_t reach it, and artbp has one more random
gate, before the first step.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.config import ModelConfig
from rnn_graphs.draws import normal
from rnn_graphs.tf1 import tf

Tensor = Any
SALT = -1_000_003  # below the seed, where dropout masks have theirs above it
SCOPE = "initial_state"


class FirstState:
    """The first state of a model's layers."""

    def __init__(self, config: ModelConfig, cell: Any, dtype: tf.DType) -> None:
        """Creates the variables of a learned state, one for each part of the cell's state."""
        self._cell = cell
        self._dtype = dtype
        self._deviation = config.initial_noise
        self._learned: list[Any] = []
        if config.learns_initial_state:
            parts = tf.nest.flatten(cell.zero_state(1, dtype))
            with tf.variable_scope(SCOPE):
                self._learned = [
                    tf.get_variable(f"part_{index}", part.shape[1:], dtype, tf.zeros_initializer())
                    for index, part in enumerate(parts)
                ]

    def rows(self, batch_size: Any, key: Tensor | None = None) -> Tensor:
        """[batch, state_size], nested as the cell's state is.

        key: [2] int32, what the noise is drawn from; None: without noise.
        """
        nested = self._cell.zero_state(batch_size, self._dtype)
        parts = tf.nest.flatten(nested)
        if self._learned:
            parts = [part + value for part, value in zip(parts, self._learned, strict=True)]
        if self._deviation is not None and key is not None:
            parts = [part + self._noise(part, place, key) for place, part in enumerate(parts)]
        return tf.nest.pack_sequence_as(nested, parts)

    def _noise(self, part: Tensor, place: int, key: Tensor) -> Tensor:
        assert self._deviation is not None
        seed = tf.stack([key[0] + SALT * (place + 1), key[1]])
        return tf.cast(normal(tf.shape(part), seed, self._deviation), part.dtype)
