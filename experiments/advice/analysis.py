"""From the readings of a pilot to the need of the data, and to the bias of each setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.task import Task
from experiments.advice.against_rtrl import measured_biases
from experiments.advice.bias import Kept, kept, relative_bias, whole
from experiments.advice.choice import Candidate, Need
from experiments.advice.memory import Memory, memory_of
from experiments.advice.pilot import Pilot
from experiments.advice.reading import Reading
from experiments.advice.settings import Setting, work_of
from experiments.advice.tail import Tail, fit_tail, no_tail
from experiments.config.schema import Config
from experiments.statistics import estimates
from experiments.statistics.intervals import Interval

TailOf = Callable[[NDArray[np.float64]], Tail]


class PilotAnalysis(NamedTuple):
    """What a pilot shows of the data and of each setting."""

    need: Need
    memory: Memory | None  # at the end; None for examples
    earlier_inputs: int | None  # the last inputs that the pilot used at the moment before the end
    loss: Interval  # at the end, nats per time step
    guess: float  # the loss to be below: of labels alone, or before training where they are values
    candidates: list[Candidate]  # not timed; the config's own first

    @property
    def is_still_growing(self) -> bool:
        """Whether the pilot found a longer dependency between its last two moments."""
        before, now = self.earlier_inputs, self.need.inputs
        return before is not None and now is not None and now > before


def analyze(pilot: Pilot, config: Config, task: Task, settings: Sequence[Setting]) -> PilotAnalysis:
    """Judge the pilot, and every setting by it."""
    last = pilot.readings[-1]
    guess = pilot.data.guess
    guess = float(pilot.readings[0].loss.mean()) if guess is None else guess
    loss = _interval(last.loss, 0, np.inf)
    is_below = loss.high is not None and loss.high < guess
    memories = [_memory(reading) for reading in pilot.readings[-2:]]
    memory = memories[-1]
    # The states of a task of values need not hold inputs, and those of examples begin anew.
    remembers = task.carries_state and task.labels == "ids"
    inputs = memory.inputs if remembers and memory else 1
    learned = is_below and (not remembers or (memory is not None and memory.is_used))
    judged = _learned(pilot.readings, guess)
    lags, tails = pilot.schedule.num_steps, fit_tail if task.carries_state else no_tail
    if remembers and inputs is not None:
        # Errors flow back beyond the inputs that count, but their mean over the data, which is the
        # gradient, hardly does: the label does not depend on what they meet there.
        lags, tails = inputs, no_tail
    need = Need(learned, inputs, _high(_worst(judged, whole(lags), tails)))
    measured = measured_biases(config, task, pilot, settings)
    candidates = [
        Candidate(
            setting,
            measured.get(setting) or _worst(judged, kept(setting, lags, pilot.data.losses), tails),
            work_of(setting, config, task),
        )
        for setting in settings
    ]
    began = pilot.readings[-2].updates > 0
    earlier = memories[0].inputs if remembers and began and memories[0] else None
    return PilotAnalysis(need, memory if remembers else None, earlier, loss, guess, candidates)


def _learned(readings: Sequence[Reading], guess: float) -> list[Reading]:
    """The readings during training whose loss is below a guess; the last one if none is."""
    return [each for each in readings[1:] if each.loss.mean() < guess] or [readings[-1]]


def _memory(reading: Reading) -> Memory | None:
    return None if reading.excess is None else memory_of(reading.excess)


def _worst(readings: Sequence[Reading], of: Kept, tails: TailOf) -> Interval:
    """The relative bias, with its interval over windows, at the moment where it is greatest."""
    intervals = [
        _interval(
            [
                relative_bias(signal[: len(of.shares)], tails(signal), of)
                for signal in _signals(reading)
            ]
        )
        for reading in readings
    ]
    return max(intervals, key=_high)


def _signals(reading: Reading) -> list[NDArray[np.float64]]:
    """The error signal of each window. Lags that no row of an example reaches count as 0."""
    return list(np.nan_to_num(reading.error_signal))


def _interval(
    values: Sequence[float] | NDArray[np.float64], lowest: float = 0, highest: float = 1
) -> Interval:
    return estimates.interval(
        estimates.mean(np.asarray(values).tolist()), lowest=lowest, highest=highest
    )


def _high(interval: Interval) -> float:
    return 1.0 if interval.high is None else interval.high
