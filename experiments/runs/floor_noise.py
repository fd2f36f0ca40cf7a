"""How far a mean loss may be from an entropy floor by the luck of the data alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.config.schema import Config
from experiments.runs.run import Run
from experiments.statistics.intervals import Interval
from experiments.statistics.sampling_noise import binary_loss_variance, noise_band


def floor_variances(config: Config) -> dict[str, float]:
    """The variance that a symbol adds to the loss of each floor's model, nats squared.

    By the names that the task's floors have; empty for a task whose variances are not known.
    """
    found = config.task.floor_models()
    if found is None:
        return {}
    return {
        name: binary_loss_variance(found.lags, found.truth, model)
        for name, model in found.models.items()
    }


def noise_bands(
    floors: Mapping[str, float], variances: Mapping[str, float], symbols: int
) -> dict[str, Interval]:
    """Where 95 % of the mean losses over so many symbols are, by floor."""
    return {
        name: noise_band(floor, variances[name], symbols)
        for name, floor in floors.items()
        if name in variances and symbols > 0
    }


def bands_of_rows(runs: Sequence[Run]) -> dict[str, Interval]:
    """The bands of the first run's floors, for the shortest row among these runs."""
    rows = [each[0] for run in runs for each in run.rows_by_seed.values() if each]
    symbols = min((row.time_steps for row in rows), default=0)
    return noise_bands(runs[0].floors, floor_variances(runs[0].config), symbols)
