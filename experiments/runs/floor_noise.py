"""How far a mean loss may be from an entropy floor by the luck of the data alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from data.tasks.binary_dependency import BinaryDependencyConfig
from experiments.config.schema import Config
from experiments.statistics.intervals import Interval
from experiments.statistics.sampling_noise import binary_loss_variance, noise_band


def floor_variances(config: Config) -> dict[str, float]:
    """The variance that a symbol adds to the loss of each floor's model, nats squared.

    By the names that the task's floors have; empty for a task whose variances are not known.
    """
    if not isinstance(config.task, BinaryDependencyConfig):
        return {}
    task = config.task.make()
    axes = range(len(task.lags))
    truth = np.array([each.probability for each in task.combinations()])
    truth = np.clip(truth.reshape([2] * len(task.lags)), 0, 1)
    variances = {}
    for count in range(len(axes) + 1):
        for known in itertools.combinations(axes, count):
            unknown = tuple(axis for axis in axes if axis not in known)
            model = np.broadcast_to(truth.mean(unknown, keepdims=True), truth.shape)
            name = " + ".join(f"lag {task.lags[axis]}" for axis in known) or "none"
            variances[name] = binary_loss_variance(task.lags, truth, model)
    return variances


def noise_bands(
    floors: Mapping[str, float], variances: Mapping[str, float], symbols: int
) -> dict[str, Interval]:
    """Where 95 % of the mean losses over so many symbols are, by floor."""
    return {
        name: noise_band(floor, variances[name], symbols)
        for name, floor in floors.items()
        if name in variances and symbols > 0
    }
