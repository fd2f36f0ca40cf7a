"""What a trained model has learned of the binary task, asked of the model itself.

On fresh data, the model's P(y = 1) is averaged over the time steps of each combination
of the lagged inputs. A dependency's measured effect is the mean difference that its
input makes; it counts as learned from half of the true effect on.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from data.streams import evaluation_stream
from data.tasks.binary_dependency import BinaryDependency
from experiments.training.evaluate import Evaluator

LEARNED = 0.5  # of the true effect


class Probe(NamedTuple):
    """One seed's answers."""

    seed: int
    combinations: list[dict[str, Any]]  # inputs, true, model, time_steps
    effects: list[dict[str, Any]]  # lag, true, model, learned


def probe(task: BinaryDependency, evaluator: Evaluator, seed: int, batch_size: int) -> Probe:
    """Ask the model that the evaluator holds."""
    sequence = task.evaluation("fresh", evaluation_stream(seed))
    batch_size = min(batch_size, len(sequence.inputs))
    chances = evaluator.probabilities(sequence, batch_size)[:, :, 1]
    index = task.combination_index(sequence.inputs, 0, chances.size).reshape(chances.shape)
    # At a row's start the state is zeros and has not seen the lagged inputs.
    seen = slice(max(task.lags, default=0), None)
    flat, kinds = chances[:, seen].ravel(), index[:, seen].ravel()
    table = task.combinations()
    counts = np.bincount(kinds, minlength=len(table))
    sums = np.bincount(kinds, flat, minlength=len(table))
    means = np.divide(sums, counts, out=np.full(len(table), np.nan), where=counts > 0)
    combinations = [
        {"inputs": list(c.inputs), "true": c.probability, "model": _number(m), "time_steps": int(n)}
        for c, m, n in zip(table, means, counts, strict=True)
    ]
    return Probe(seed, combinations, _effects(task, means))


def _effects(
    task: BinaryDependency, means: np.ndarray[Any, np.dtype[np.float64]]
) -> list[dict[str, Any]]:
    inputs = np.array([combination.inputs for combination in task.combinations()])
    effects = []
    for column, dependency in enumerate(task.config.dependencies):
        ones = inputs[:, column] == 1
        model = float(means[ones].mean() - means[~ones].mean())
        learned = bool(dependency.effect and model / dependency.effect >= LEARNED)
        effects.append(
            {
                "lag": dependency.lag,
                "true": dependency.effect,
                "model": _number(model),
                "learned": learned,
            }
        )
    return effects


def _number(value: float) -> float | None:
    """None where no time step could tell; JSON has no nan."""
    return None if math.isnan(value) else float(value)
