"""Biases that no share of the error signal shows, measured against rtrl.

These are the biases of styles that approximate the product of Jacobians, and of all styles where
labels are values: errors of several lags may then cancel, as in influence balancing, and a gradient
without some of them may point the wrong way. The gradients are computed on the trained pilot, for
held-out windows that follow each other, where rtrl's is exact. As in bias.py, a positive factor is
no bias: what is left of ĝ beside g is sin ∠(ĝ, g), or all of g where ĝ points away from it.
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
FEWEST, MOST = 2, 8  # windows measured
STEPS = 512  # measured, where that is not fewer windows, or more
STEPS_BEFORE = 64  # at least, for the influence to build up

UNKNOWN = Interval(math.nan, None, None)


def measured_biases(
    config: Config, task: Task, pilot: Pilot, settings: Sequence[Setting]
) -> dict[Setting, Interval]:
    """The relative bias of the settings whose bias must be measured; the config's own comes first.

    It is UNKNOWN where rtrl does not fit into execution.memory_limit or too few data are held out,
    and, of settings that are not approximate, for those with context or wider than the pilot.
    """
    widest = max(settings[0].num_steps, pilot.schedule.num_steps)
    chosen = [each for each in settings if _must_be_measured(each, task)]
    unknown = [each for each in chosen if each.truncation.context or each.num_steps > widest]
    found = dict.fromkeys(unknown, UNKNOWN)
    chosen = [each for each in chosen if each not in found]
    for width in {setting.num_steps for setting in chosen}:
        alike = [setting for setting in chosen if setting.num_steps == width]
        found |= _of_one_width(config, task, pilot, alike)
    return found


def _must_be_measured(setting: Setting, task: Task) -> bool:
    style = setting.truncation.style
    errors_may_cancel = task.labels == "values" and style.influence is None and not style.random
    return style.approximate or errors_may_cancel


def _of_one_width(
    config: Config, task: Task, pilot: Pilot, settings: Sequence[Setting]
) -> dict[Setting, Interval]:
    graph = settings[0].applied_to(config).graph.model_copy(update={"batch_size": ROWS})
    config = config.model_copy(update={"graph": graph})
    before = -(-STEPS_BEFORE // graph.num_steps)
    count = min(max(STEPS // graph.num_steps, FEWEST), MOST)
    seed = config.training.first_seed
    windows = fresh_windows(config, task, seed, before + count)
    if len(windows) < before + FEWEST:
        return dict.fromkeys(settings, UNKNOWN)
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
    # No positive factor turns a gradient that points the other way.
    ahead = np.maximum(cosines, 0)
    sines = np.sqrt(np.maximum(1 - np.square(ahead), 0))
    return estimates.interval(estimates.mean(sines.tolist()), lowest=0, highest=1)
