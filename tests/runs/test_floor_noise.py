"""experiments/runs/floor_noise.py: the noise around each floor, against simulated ideal models."""

from __future__ import annotations

import numpy as np
import pytest

from data.streams import training_stream
from data.tasks.binary_dependency import BinaryDependency
from experiments.config.compose import load_config
from experiments.runs.floor_noise import floor_variances, noise_bands


def test_the_names_are_those_of_the_floors() -> None:
    config = load_config("r2rt_n5", [])
    assert floor_variances(config).keys() == config.task.make().floors().keys()


def test_a_task_that_cannot_tell_has_none() -> None:
    assert floor_variances(load_config("copy_memory", [])) == {}


def test_the_bands_hold_what_an_ideal_model_loses() -> None:
    """95 % of 400 sequences of 2,000 symbols, for the model that knows everything."""
    config = load_config("r2rt_n5", ["task.size=2000"])
    task = config.task.make()
    assert isinstance(task, BinaryDependency)
    band = noise_bands(task.floors(), floor_variances(config), 2000)["lag 3 + lag 8"]
    table = np.array([each.probability for each in task.combinations()])
    stream, inside = training_stream(0), 0
    for _ in range(400):
        inputs, labels = task.draw(stream)
        chances = table[task.combination_index(inputs, 0, 2000)]
        with np.errstate(divide="ignore"):
            losses = -np.log(np.where(labels == 1, chances, 1 - chances))
        assert band.low is not None
        assert band.high is not None
        inside += band.low <= losses.mean() <= band.high
    assert inside / 400 == pytest.approx(0.95, abs=0.03)
