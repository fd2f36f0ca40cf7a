"""The pilot: one seed trained in a wide graph with full gradients, and read at several moments.

A dependency shows in the error signal only once it is learned, so the pilot is as wide as the
budget allows, and it is read during training and at its end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.advice.reading import FEWEST, WARM_UP, HeldOut, Reader, Reading, held_out
from experiments.advice.schedule import Schedule, plan, possible_widths
from experiments.config.schema import Config
from experiments.errors import RunError
from experiments.training.loop import TrainingLoop
from experiments.training.session import TrainingSession, build
from experiments.training.timing import clock_for, seconds
from experiments.training.workload import Workload, make_workload
from rnn_graphs.config import TruncationConfig

MOMENTS = (1 / 8, 1 / 4, 1 / 2, 1)  # as fractions of the pilot's updates; it is read at 0 as well
PROBED = 24  # steps of the graph that is timed to plan the pilot
ROUNDS = 3
FED = 2_000_000  # symbols in one session.run at most
LONGEST_CALL = 0.5  # seconds of one session.run: the pilot stops between two

Tell = Callable[[str], None]


class Pilot(NamedTuple):
    """A trained pilot and what was read of it."""

    schedule: Schedule
    readings: list[Reading]  # by moment, the first one before training
    data: HeldOut
    seconds: float

    @property
    def updates(self) -> int:
        """Updates that were made; fewer than planned where time ran out."""
        return self.readings[-1].updates


def run_pilot(config: Config, workload: Workload, budget: float, tell: Tell) -> Pilot:
    """Train the pilot for at most `budget` seconds, after the graphs are built, and read it.

    Raises RunError if training diverges, UsageError where held-out data fill no window.
    """
    began = time.monotonic()
    schedule = _plan(config, workload, budget)
    tell(
        f"pilot: num_steps {schedule.num_steps}, full gradients, up to {schedule.updates:,} "
        f"updates in {budget:.0f} s"
    )
    per_update = budget / schedule.updates
    wide = _pilot_config(config, schedule, per_update)
    work = make_workload(wide)
    wide = wide.model_copy(
        update={
            "training": wide.training.model_copy(
                update={"epochs": math.ceil(schedule.updates / work.updates_per_epoch)}
            )
        }
    )
    work = make_workload(wide)
    data = held_out(wide, work.task, schedule.num_steps)
    with (
        TrainingSession(build(wide, work), wide.execution.threads) as session,
        Reader(wide, work.task, data) as reader,
    ):
        session.warm_up()
        readings = _train(wide, work, session, reader, schedule, budget, tell)
    return Pilot(schedule, readings, data, time.monotonic() - began)


def _train(
    config: Config,
    workload: Workload,
    session: TrainingSession,
    reader: Reader,
    schedule: Schedule,
    budget: float,
    tell: Tell,
) -> list[Reading]:
    """The readings at each moment, until the updates or the `budget` in seconds are used up."""
    loop = TrainingLoop(config, workload, session)
    start = loop.start(config.training.first_seed)
    readings = [reader.read(session.variables(), 0)]
    deadline = time.monotonic() + budget
    moments = sorted({max(1, round(part * schedule.updates)) for part in MOMENTS})
    for chunk in loop.run(start, cuts=moments):
        done = chunk.end.epoch * workload.updates_per_epoch + chunk.end.window
        if chunk.status == "diverged":
            raise RunError(
                f"the pilot's loss was not finite by update {done}; a lower "
                "optimizer.learning_rate or optimizer.clip_norm may help"
            )
        late = time.monotonic() > deadline
        if done in moments or late:
            readings.append(reader.read(session.variables(), done))
            tell(f"pilot: update {done:,}, held-out loss {readings[-1].loss.mean():.4f}")
        if late or done >= moments[-1]:
            break
    return readings


def _plan(config: Config, workload: Workload, budget: float) -> Schedule:
    """Time a graph of PROBED steps, and plan the pilot."""
    task = workload.task
    own = config.graph.num_steps
    if not task.carries_state:  # an example is as long as it is
        return plan([own], _seconds_per_step(config, own), budget, workload.updates)
    drawn = task.draw(training_stream(config.training.first_seed))
    train = cut_into_rows(drawn, config.graph.batch_size).labels.shape[1]
    longest = min(train, _held_out_symbols(config, workload) // (WARM_UP + FEWEST))
    widths = possible_widths(own, longest)
    probed = min(PROBED, widths[-1])
    return plan(widths, _seconds_per_step(config, probed), budget, workload.updates)


def _held_out_symbols(config: Config, workload: Workload) -> int:
    stream = np.random.RandomState(config.training.first_seed)
    return max(
        len(workload.task.evaluation(name, stream).labels) for name in workload.task.held_out
    )


def _seconds_per_step(config: Config, num_steps: int) -> float:
    """The median time of an update of the pilot's kind, for each step of its graph."""
    count = max(1, min(20, FED // (num_steps * config.graph.batch_size)))
    probe = _pilot_config(config, Schedule(num_steps, count), LONGEST_CALL / count)
    work = make_workload(probe)
    count = min(count, work.updates_per_epoch)
    rows = cut_into_rows(
        work.task.draw(training_stream(config.training.first_seed)), config.graph.batch_size
    )
    windows = rows.windows(0, count, num_steps)
    clock = clock_for(config.execution.threads)
    with TrainingSession(build(probe, work), probe.execution.threads) as session:
        session.initialize(config.training.first_seed)
        session.train(windows, count)  # compiles
        times = [seconds(lambda: session.train(windows, count), clock) for _ in range(ROUNDS)]
    return float(np.median(times)) / count / num_steps


def _pilot_config(config: Config, schedule: Schedule, per_update: float) -> Config:
    """The experiment with a wide graph that is quick to build, full gradients and one seed."""
    most = FED // (schedule.num_steps * config.graph.batch_size)
    iterations = max(1, min(most, int(LONGEST_CALL / per_update), schedule.updates))
    sections = {
        "graph": {"num_steps": schedule.num_steps, "unroll": "dynamic"},
        "training": {"seeds": 1, "validate_every": None, "patience": None},
        "execution": {"loop": "in_graph", "iterations_per_loop": iterations},
        "logging": {"metrics": ()},
    }
    changed = {
        name: getattr(config, name).model_copy(update=keys) for name, keys in sections.items()
    }
    return config.model_copy(update={**changed, "truncation": TruncationConfig(kind="full")})
