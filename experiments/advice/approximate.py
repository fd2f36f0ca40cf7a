"""The bias of styles that approximate the product of Jacobians, measured against rtrl.

No share of the error signal says how far they are off, so their gradients are computed: on the
trained pilot, for held-out windows that follow each other, where rtrl's is exact. As in bias.py, a
constant factor is no bias: what is left of ĝ beside g is sin ∠(ĝ, g).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from data.task import Task
from experiments.advice.pilot import Pilot
from experiments.advice.settings import Setting
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.carried import CarriedGauge, fresh_windows
from experiments.statistics import estimates
from experiments.statistics.intervals import Interval

ROWS = 8  # read side by side, each with an influence
WINDOWS = 8  # measured
STEPS_BEFORE = 64  # at least, for the influence to build up

UNKNOWN = Interval(math.nan, None, None)


def measured_biases(
    config: Config, task: Task, pilot: Pilot, settings: Sequence[Setting]
) -> dict[Setting, Interval]:
    """The relative bias of the approximate styles among the settings.

    It is UNKNOWN where rtrl does not fit into execution.memory_limit.
    """
    chosen = [setting for setting in settings if setting.truncation.style.approximate]
    found: dict[Setting, Interval] = {}
    for width in {setting.num_steps for setting in chosen}:
        alike = [setting for setting in chosen if setting.num_steps == width]
        found |= _of_one_width(config, task, pilot, alike)
    return found


def _of_one_width(
    config: Config, task: Task, pilot: Pilot, settings: Sequence[Setting]
) -> dict[Setting, Interval]:
    graph = settings[0].applied_to(config).graph.model_copy(update={"batch_size": ROWS})
    config = config.model_copy(update={"graph": graph})
    before = -(-STEPS_BEFORE // graph.num_steps)
    seed = config.training.first_seed
    windows = fresh_windows(config, task, seed, before + WINDOWS)
    names = {str(setting): setting.truncation for setting in settings}
    try:
        with CarriedGauge(config, task, names) as gauge:
            measured = gauge.measure(pilot.variables, windows, seed)[before:]
    except UsageError:
        return dict.fromkeys(settings, UNKNOWN)
    return {
        setting: _interval([errors[str(setting)].cosine for errors in measured])
        for setting in settings
    }


def _interval(cosines: Sequence[float]) -> Interval:
    sines = np.sqrt(np.maximum(1 - np.square(cosines), 0))
    return estimates.interval(estimates.mean(sines.tolist()), lowest=0, highest=1)
