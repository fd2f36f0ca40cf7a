"""`run.py advise`: a pilot, what it saw, what settings cost, and which one to take."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.advice.analysis import PilotAnalysis, analyze
from experiments.advice.answer import Advice, as_dict, lines
from experiments.advice.choice import Candidate, Choice, Update, choose, to_time, with_costs
from experiments.advice.costs import time_settings
from experiments.advice.pilot import run_pilot
from experiments.advice.schedule import Allowance
from experiments.advice.settings import FULL_WORK, Setting, settings_for
from experiments.config.schema import Config
from experiments.console import finite, is_quiet, print_json, print_text
from experiments.errors import UsageError
from experiments.gradients.measurement import check_losses
from experiments.runs.files import make_output_folder, write_atomic
from experiments.training.workload import make_workload

# Parts of the budget.
TRAINING = 0.4  # of the pilot
LEAST_TRAINING = 0.2  # even if graphs take long to build
PILOT_END = 0.6
TIMING_END = 0.85  # the report takes the rest
TIMED = 8  # settings
RETIMED = 4  # times that a setting is chosen anew, after the one before was timed


class AdviseOptions(NamedTuple):
    """The options of `advise`."""

    out: Path
    budget: float = 300.0  # seconds
    tolerance: float = 0.5
    as_json: bool = False


def check(config: Config) -> None:
    """Raise UsageError if the experiment has no error signal by lag that a window cuts off."""
    if config.model.bidirectional:
        raise UsageError(
            "model.bidirectional: its errors come from both sides and have no lag, so there is "
            "nothing to truncate; expected false"
        )
    if not config.training.carry_state:
        raise UsageError(
            "training.carry_state: where each window starts anew, its width is the length of an "
            "example and cannot be chosen by the lags; expected true, got false"
        )


def advise(config: Config, options: AdviseOptions) -> Advice:
    """The advice for a config, within about the budget. Writes nothing.

    Raises UsageError if the config has no advice, RunError if the pilot diverges.
    """
    check(config)
    began, budget = time.monotonic(), options.budget
    workload = make_workload(config)
    check_losses(config, workload.task)
    if not workload.task.held_out:
        raise UsageError(
            f"experiment {config.name}: {config.task.kind} has no held-out data to read the pilot "
            "on; expected task.valid or task.test above 0"
        )
    allowance = Allowance(TRAINING * budget, began + PILOT_END * budget, LEAST_TRAINING * budget)
    pilot = run_pilot(config, workload, allowance, tell)
    settings = settings_for(config, workload.task, pilot.schedule.num_steps)
    analysis = analyze(pilot, config, workload.task, settings)
    chosen = to_time(analysis.candidates, analysis.need, options.tolerance, TIMED)
    if not analysis.need.learned:
        chosen = chosen[:1]
    tell(f"timing up to {len(chosen)} settings")
    # A symbol of the pilot takes FULL_WORK cell applications.
    application_seconds = pilot.symbol_seconds / FULL_WORK
    expected = {
        each.setting: application_seconds * each.work / each.setting.num_steps for each in chosen
    }
    end = began + TIMING_END * budget
    seconds = time_settings(config, expected, end)
    wide = Update(
        FULL_WORK * pilot.schedule.num_steps, pilot.symbol_seconds * pilot.schedule.num_steps
    )

    def time_one(advised: Candidate) -> dict[Setting, float]:
        if time.monotonic() > end:
            return {}
        return time_settings(config, {advised.setting: advised.expected}, end)

    def with_times(times: Mapping[Setting, float]) -> PilotAnalysis:
        return analysis._replace(candidates=with_costs(analysis.candidates, times, wide))

    timed, choice = settle(with_times, seconds, options.tolerance, time_one)
    return Advice(config, options.tolerance, workload.task.carries_state, pilot, timed, choice)


def settle(
    with_times: Callable[[Mapping[Setting, float]], PilotAnalysis],
    seconds: Mapping[Setting, float],
    tolerance: float,
    time_one: Callable[[Candidate], Mapping[Setting, float]],
) -> tuple[PilotAnalysis, Choice]:
    """The choice by these seconds for a symbol, and the analysis that it was made from.

    Nothing is advised by an expected time alone where there is time to measure it: `time_one`
    measures an advised setting, or returns nothing, and the choice is made anew.
    """
    analysis = with_times(seconds)
    choice = choose(analysis.candidates, analysis.need, tolerance)
    for _ in range(RETIMED):
        advised = choice.advised
        found = time_one(advised) if advised and advised.seconds is None else {}
        if not found:
            break
        seconds = {**seconds, **found}
        analysis = with_times(seconds)
        choice = choose(analysis.candidates, analysis.need, tolerance)
    return analysis, choice


def tell(line: str) -> None:
    """Print a line of progress."""
    if not is_quiet():
        print(line, flush=True)


def write(advice: Advice, command: Sequence[str], options: AdviseOptions) -> None:
    """Write advice.json, figures and the report, and print the three lines.

    `command` is the experiment, its cells and the overrides as they were given.
    """
    from experiments.advice.report import write_advice_report

    content = as_dict(advice)
    write_atomic(options.out / "advice.json", json.dumps(finite(content), indent=2) + "\n")
    report = write_advice_report(advice, options.out)
    if options.as_json:
        print_json(content)
        return
    for line in lines(advice):
        print_text(line)
    if content["overrides"]:
        print(f"to train it: python run.py train {shlex.join([*command, *content['overrides']])}")
    print(f"report: {report}")


def run(config: Config, command: Sequence[str], options: AdviseOptions) -> Advice:
    """`advise`, and write its results to `options.out`."""
    check(config)
    make_output_folder(options.out, ["advice.json", "report.html"])
    advice = advise(config, options)
    write(advice, command, options)
    return advice
