"""The model and its training in plain float64 NumPy, from the equations alone.

h_s = tanh([x_s, h_{s-1}] W + b),  logits_t = h_t U + c,  L_t = −log softmax(logits_t)[y_t].
Nothing of the code under test is used here, and no automatic differentiation: every error
goes back one cell application at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Weights(NamedTuple):
    """The model's variables, in the order in which its graph creates them."""

    W: Array  # [num_inputs + state_size, state_size]
    b: Array  # [state_size]
    U: Array  # [state_size, num_classes]
    c: Array  # [num_classes]


class Step(NamedTuple):
    """The results of one training step."""

    losses: Array  # [time, batch], nats
    loss: float
    final_state: Array  # [batch, state_size]
    gradients: Weights


def draw_weights(
    stream: np.random.Generator, num_inputs: int, state_size: int, num_classes: int
) -> Weights:
    """Weights of moderate size, none of them zero."""
    return Weights(
        stream.normal(0, 0.5, [num_inputs + state_size, state_size]),
        stream.normal(0, 0.5, [state_size]),
        stream.normal(0, 0.5, [state_size, num_classes]),
        stream.normal(0, 0.5, [num_classes]),
    )


def one_hot(ids: NDArray[Any], num_ids: int) -> Array:
    """[...] → [..., num_ids]."""
    result: Array = np.eye(num_ids)[ids]
    return result


def forward(weights: Weights, inputs: NDArray[Any], state: Array) -> Array:
    """States h_0 … h_{time-1}, [time, batch, state_size], of inputs [time, batch] (ids)."""
    num_inputs = len(weights.W) - len(weights.b)
    states = []
    for x in one_hot(inputs, num_inputs):
        state = np.tanh(np.concatenate([x, state], axis=1) @ weights.W + weights.b)
        states.append(state)
    return np.array(states)


def probabilities(weights: Weights, states: Array) -> Array:
    """softmax(h U + c), [time, batch, num_classes]."""
    logits = states @ weights.U + weights.c
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def losses(weights: Weights, states: Array, labels: NDArray[Any]) -> Array:
    """Cross-entropy of labels [time, batch] (ids) in nats, [time, batch]."""
    chances = probabilities(weights, states)
    result: Array = -np.log(np.take_along_axis(chances, labels[..., None], axis=-1)[..., 0])
    return result


def train_step(
    weights: Weights,
    inputs: NDArray[Any],
    labels: NDArray[Any],
    state: Array,
    credit: Array | None = None,
) -> Step:
    """Losses and the gradient of their mean, with `credit` M[t, s] for the error from t to s.

    Without `credit`, every error goes back to the start of the window and no further.
    """
    time, batch = inputs.shape
    num_inputs, num_classes = len(weights.W) - len(weights.b), len(weights.c)
    credit = np.tri(time) if credit is None else credit
    states = forward(weights, inputs, state)
    x = one_hot(inputs, num_inputs)
    gradients = Weights(*[np.zeros_like(weight) for weight in weights])
    for t in range(time):
        chances = probabilities(weights, states[t])
        logit_error = (chances - one_hot(labels[t], num_classes)) / (time * batch)
        gradients.U[:] += states[t].T @ logit_error
        gradients.c[:] += logit_error.sum(axis=0)
        error = logit_error @ weights.U.T  # of L_t by h_t, then by h_{t-1}, …
        for s in range(t, -1, -1):
            before = states[s - 1] if s else state
            error = error * (1 - states[s] ** 2)  # through tanh
            gradients.W[:] += credit[t, s] * np.concatenate([x[s], before], axis=1).T @ error
            gradients.b[:] += credit[t, s] * error.sum(axis=0)
            error = error @ weights.W[num_inputs:].T
    each = losses(weights, states, labels)
    return Step(each, float(each.mean()), states[-1], gradients)


def error_signal(
    weights: Weights, inputs: NDArray[Any], labels: NDArray[Any], state: Array
) -> Array:
    """‖∂L_t/∂h_{t−k}‖ of the window's last loss, mean over the batch, by lag k. [time]."""
    num_inputs, num_classes = len(weights.W) - len(weights.b), len(weights.c)
    states = forward(weights, inputs, state)
    chances = probabilities(weights, states[-1])
    error = (chances - one_hot(labels[-1], num_classes)) @ weights.U.T
    norms = []
    for after in states[::-1]:
        norms.append(np.linalg.norm(error, axis=1).mean())
        error = (error * (1 - after**2)) @ weights.W[num_inputs:].T
    return np.array(norms)


class Updater:
    """The update rules of `tf.compat.v1.train`, for one variable."""

    def __init__(self, kind: str, **settings: float) -> None:
        self._rule: Callable[[Array], Array] = getattr(self, f"_{kind}")
        self._settings = settings
        self.rate = settings["learning_rate"]  # of the next update
        self._slots: list[Any] = []  # arrays; numbers before the first update

    def __call__(self, value: Array, gradient: Array) -> Array:
        """The variable after one more update."""
        return value - self._rule(gradient)

    def _sgd(self, gradient: Array) -> Array:
        return self.rate * gradient

    def _momentum(self, gradient: Array) -> Array:
        (velocity,) = self._slots or [0.0]
        self._slots = [self._settings["momentum"] * velocity + gradient]
        result: Array = self.rate * self._slots[0]
        return result

    def _adagrad(self, gradient: Array) -> Array:
        (total,) = self._slots or [self._settings["initial_accumulator"]]
        self._slots = [total + gradient**2]
        result: Array = self.rate * gradient / np.sqrt(self._slots[0])
        return result

    def _adam(self, gradient: Array) -> Array:
        beta1, beta2 = self._settings["beta1"], self._settings["beta2"]
        first, second, power1, power2 = self._slots or [0.0, 0.0, beta1, beta2]
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        rate = self.rate * np.sqrt(1 - power2) / (1 - power1)
        self._slots = [first, second, power1 * beta1, power2 * beta2]
        result: Array = rate * first / (np.sqrt(second) + self._settings["epsilon"])
        return result

    def _rmsprop(self, gradient: Array) -> Array:
        mean_square, velocity = self._slots or [1.0, 0.0]
        decay = self._settings["decay"]
        mean_square = decay * mean_square + (1 - decay) * gradient**2
        step = self.rate * gradient / np.sqrt(mean_square + self._settings["epsilon"])
        self._slots = [mean_square, self._settings["momentum"] * velocity + step]
        result: Array = self._slots[1]
        return result
