"""Criteria on what a run costs: seconds to build its graph, parameters, memory."""

from __future__ import annotations

import time
from math import prod

from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.runs import checkpoints
from experiments.runs.run import Run
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import AgainstRun
from experiments.studies.findings import exact, measured_once
from experiments.studies.runs import StudyRuns

REPEATS = 2


class BuildsFaster(AgainstRun):
    """The training graph of `run` is built in at most 1/`times` of the seconds of `against`'s.

    Measured when the claim is decided, on this machine, without XLA: the least of two builds.
    """

    times: float = Field(gt=1)

    def expectation(self) -> str:
        return f"at least {self.times:g} times as fast"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ours, theirs = (seconds_to_build(runs[name]) for name in (self.run, self.against))
        note = f"{self.run} {ours:.2f} s, {self.against} {theirs:.2f} s, on this machine"
        return measured_once(theirs / ours, theirs / ours >= self.times, note)


class FewerParameters(AgainstRun):
    """`run` has at most `share` of the trained parameters of `against`."""

    share: float = Field(gt=0, lt=1)

    def expectation(self) -> str:
        return f"at most {self.share:g}"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ours, theirs = (parameters(runs[name]) for name in (self.run, self.against))
        note = f"{self.run} {ours:,}, {self.against} {theirs:,} parameters"
        return exact(ours / theirs, ours / theirs <= self.share, note)


class TakesMoreMemory(AgainstRun):
    """Building and training `run` takes at least `times` the memory that `against` takes.

    The most physical memory of the process during training, less what it held before.
    """

    times: float = Field(gt=1)

    def expectation(self) -> str:
        return f"at least {self.times:g} times as much"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ours, theirs = (added_memory(runs[name]) for name in (self.run, self.against))
        note = (
            f"{self.run} {ours / 2**20:,.0f} MiB, {self.against} {theirs / 2**20:,.0f} MiB beyond "
            "the memory of the process before, one process each"
        )
        return measured_once(ours / theirs, ours / theirs >= self.times, note)


def added_memory(run: Run) -> int:
    """The bytes that building and training the run took. Raises NotRun where it has no record."""
    if not run.added_memory:
        raise NotRun(f"run {run.label}: its summary.json has no memory; train it again")
    return run.added_memory


def seconds_to_build(run: Run) -> float:
    """The least seconds that building the run's training graph takes."""
    from experiments.training.session import build  # TensorFlow takes seconds to import
    from experiments.training.workload import make_workload

    execution = run.config.execution.model_copy(update={"xla": "off"})
    config = run.config.model_copy(update={"execution": execution})
    workload, seconds = make_workload(config), []
    for _ in range(REPEATS):
        began = time.perf_counter()
        build(config, workload)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def parameters(run: Run) -> int:
    """The numbers in the model's variables, in a checkpoint of the run's first seed."""
    seed = run.config.training.first_seed
    found = checkpoints.newest(run.directory.checkpoints, seed).checkpoint
    if found is None:
        raise NotRun(f"run {run.label}: no checkpoint")
    shapes = [
        value.shape
        for name, value in found.variables.items()
        if name.startswith("model/") and name.split("/")[-1] not in SLOTS
    ]
    return sum(prod(shape) for shape in shapes)


# What optimizers keep of a variable, below its name.
SLOTS = ("Adagrad", "Adam", "Adam_1", "Momentum", "RMSProp", "RMSProp_1")
