"""The pilot: one seed trained in a wide graph with full gradients, and read at several moments.

A dependency shows in the error signal only once it is learned, so the pilot is as wide as the
budget allows, and it is read during training and at its end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.streams import training_stream
from experiments.advice.reading import (
    FEWEST,
    WARM_UP,
    HeldOut,
    Reader,
    Reading,
    held_out,
    rows_to_read,
)
from experiments.advice.schedule import Allowance, Schedule, plan, possible_widths
from experiments.config.schema import Config
from experiments.errors import RunError
from experiments.training.loop import TrainingLoop
from experiments.training.pace import open_call, time_updates
from experiments.training.session import TrainingSession, build
from experiments.training.workload import Workload, make_workload
from rnn_graphs.config import TruncationConfig

MOMENTS = (1 / 8, 1 / 4, 1 / 2, 1)  # parts of the updates or the time; it is read at 0 as well
PROBED = 24  # steps of the graph that is timed to plan the pilot
BUILDING = 2  # graphs, to train and to read, each of which takes about as long as the timed one
UPDATES, PROBED_UPDATES = 500, 20  # of one session.run at most, of the pilot and while it is timed

Tell = Callable[[str], None]


class Pilot(NamedTuple):
    """A trained pilot and what was read of it."""

    schedule: Schedule
    symbol_seconds: float  # of training, for one symbol
    readings: list[Reading]  # by moment, the first one before training
    variables: dict[str, NDArray[Any]]  # at the end
    data: HeldOut
    seconds: float

    @property
    def updates(self) -> int:
        """Updates that were made; fewer than planned where time ran out."""
        return self.readings[-1].updates


def run_pilot(config: Config, workload: Workload, allowance: Allowance, tell: Tell) -> Pilot:
    """Train the pilot within its allowance and read it.

    Raises RunError if training diverges, UsageError where held-out data fill no window.
    """
    began = time.monotonic()
    widths, step_seconds = _possible(config, workload)
    now = time.monotonic()
    built = now + BUILDING * (now - began)
    training = allowance.deadline(built) - built
    schedule = plan(widths, step_seconds, training, workload.updates)
    tell(
        f"pilot: num_steps {schedule.num_steps}, full gradients, up to {schedule.updates:,} "
        f"updates in {training:.0f} s"
    )
    wide = _pilot_config(config, schedule.num_steps, min(UPDATES, schedule.updates))
    wide = _with_epochs(wide, schedule.updates)
    work = make_workload(wide)
    symbol_seconds = step_seconds / config.graph.batch_size
    rows = rows_to_read(schedule, symbol_seconds, training)
    data = held_out(wide, work.task, schedule.num_steps, rows)
    with (
        TrainingSession(build(wide, work), wide.execution.threads) as session,
        Reader(wide, work.task, data) as reader,
    ):
        session.warm_up()
        readings = _train(wide, work, session, reader, schedule, allowance, tell)
        variables = session.variables()
    return Pilot(schedule, symbol_seconds, readings, variables, data, time.monotonic() - began)


def _train(
    config: Config,
    workload: Workload,
    session: TrainingSession,
    reader: Reader,
    schedule: Schedule,
    allowance: Allowance,
    tell: Tell,
) -> list[Reading]:
    """The readings at each moment, which is a part of the updates or of the time."""
    loop = TrainingLoop(config, workload, session, chooser=None)  # full gradients
    start = loop.start(config.training.first_seed)
    now = time.monotonic()
    readings = [reader.read(session.variables(), 0)]
    began = time.monotonic()
    seconds = allowance.deadline(began) - began
    seconds = max(seconds - (began - now), allowance.least)  # the last reading takes as long
    due = list(MOMENTS)
    for chunk in loop.run(start, cuts=[round(part * schedule.updates) for part in MOMENTS]):
        done = chunk.end.epoch * workload.updates_per_epoch + chunk.end.window
        if chunk.status == "diverged":
            raise RunError(
                f"the pilot's loss was not finite by update {done}; a lower "
                "optimizer.learning_rate or optimizer.clip_norm may help"
            )
        passed = max(done / schedule.updates, (time.monotonic() - began) / seconds)
        if passed >= due[0]:
            readings.append(reader.read(session.variables(), done))
            tell(f"pilot: update {done:,}, held-out loss {readings[-1].loss.mean():.4f}")
            due = [part for part in due if part > passed]
        if not due:
            break
    return readings


def _possible(config: Config, workload: Workload) -> tuple[list[int], float]:
    """The widths to choose from, and the seconds of an update for each step of its graph."""
    task, own = workload.task, config.graph.num_steps
    if not task.carries_state:  # an example is as long as it is
        return [own], _seconds_per_step(config, own)
    rows = workload.draw(training_stream(config.training.first_seed), config.graph.batch_size)
    longest = min(rows.labels.shape[1], _held_out_symbols(config, workload) // (WARM_UP + FEWEST))
    widths = possible_widths(own, longest)
    return widths, _seconds_per_step(config, min(PROBED, widths[-1]))


def _with_epochs(config: Config, updates: int) -> Config:
    """The config with as many epochs as these updates take."""
    epochs = math.ceil(updates / make_workload(config).updates_per_epoch)
    training = config.training.model_copy(update={"epochs": epochs})
    return config.model_copy(update={"training": training})


def _held_out_symbols(config: Config, workload: Workload) -> int:
    stream = np.random.RandomState(config.training.first_seed)
    return max(
        len(workload.task.evaluation(name, stream).labels) for name in workload.task.held_out
    )


def _seconds_per_step(config: Config, num_steps: int) -> float:
    """The median time of an update of the pilot's kind, for each step of its graph."""
    probe = _pilot_config(config, num_steps, PROBED_UPDATES)
    work = make_workload(probe)
    with ExitStack() as stack:
        # By the clock on the wall, as a budget is: on a busy machine, less fits into it.
        _, each = time_updates(open_call(stack, probe, work, build(probe, work)))
    return each / num_steps


def _pilot_config(config: Config, num_steps: int, updates: int) -> Config:
    """The experiment with a wide graph that is quick to build, full gradients and one seed.

    A session.run makes this many updates at most.
    """
    sections = {
        "graph": {"num_steps": num_steps, "unroll": "dynamic"},
        "training": {"seeds": 1, "validate_every": None, "patience": None},
        "execution": {"loop": "in_graph", "iterations_per_loop": updates},
        "logging": {"metrics": ()},
    }
    changed = {
        name: getattr(config, name).model_copy(update=keys) for name, keys in sections.items()
    }
    return config.model_copy(update={**changed, "truncation": TruncationConfig(kind="full")})
