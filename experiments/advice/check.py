"""`advise --check`: the advised setting, its neighbours and the config's own for equal time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.advice.answer import Advice
from experiments.advice.choice import Candidate
from experiments.advice.costs import time_settings
from experiments.advice.settings import Setting
from experiments.comparison.compare import CompareOptions
from experiments.comparison.compare import compare as compare_runs
from experiments.comparison.groups import group_runs
from experiments.comparison.ranking import choose_ranking
from experiments.console import print_text
from experiments.errors import RunError, UsageError
from experiments.runs.run import read_run
from experiments.statistics import estimates, paired
from experiments.statistics.verdicts import LEVEL
from experiments.sweeps.launcher import train_missing
from experiments.sweeps.points import Point, make_points
from experiments.training.workload import make_workload

FEWEST_SEEDS = 4  # for an interval
NEARLY_EQUAL = 1.1
SECONDS = 60.0  # to time the neighbours that advice did not time


class Training(NamedTuple):
    """How long a setting trains."""

    epochs: int
    seconds: float  # of one seed, expected


class Contest(NamedTuple):
    """The advised setting against another one, trained for about equal time."""

    against: str
    times: float  # its time, as a multiple of the advised setting's: epochs are whole
    difference: estimates.Estimate  # of losses, advised − other; negative: advised wins


def check_advice(
    advice: Advice, experiment: str, overrides: Sequence[str], out: Path, workers: int | None
) -> list[Contest]:
    """Train, compare in `out` and print which setting wins.

    Equal time is that of the experiment's own run. Raises UsageError if nothing was advised,
    RunError if a run failed, Interrupted.
    """
    if advice.choice.advised is None:
        raise UsageError("--check: nothing is advised, so there is nothing to train")
    trainings = equal_time(advice, contestants(advice))
    points = make_points(experiment, [
        [*overrides, *setting.overrides(advice.config), f"training.epochs={training.epochs}",
         f"training.seeds={max(FEWEST_SEEDS, advice.config.training.seeds)}"]
        for setting, training in trainings.items()
    ])  # fmt: skip
    results = train_missing(points, "local", workers)
    failed = [result for result in results if result.status != "complete"]
    if failed:
        raise RunError(f"{len(failed)} of {len(results)} runs failed: {failed[0].reason}")
    compare_runs([point.directory for point in points], CompareOptions(out))
    contests = judge(points, trainings)
    for contest in contests:
        print_text(sentence(advice.choice.advised, contest, len(contests)))
    return contests


def contestants(advice: Advice) -> list[Setting]:
    """The advised setting, the config's own, and the next narrower and wider of its style."""
    advised = advice.choice.advised
    assert advised is not None
    kind = advised.setting.truncation.kind
    style = sorted(
        {
            each.setting
            for each in advice.analysis.candidates
            if each.setting.truncation.kind == kind
        },
        key=lambda setting: (setting.num_steps, setting.effective_depth),
    )
    place = style.index(advised.setting)
    beside = [*style[max(place - 1, 0) : place], *style[place + 1 : place + 2]]
    return list(dict.fromkeys([advised.setting, advice.own.setting, *beside]))


def equal_time(advice: Advice, settings: Sequence[Setting]) -> dict[Setting, Training]:
    """Each setting with the epochs that take as long as the experiment's own run, at least one."""
    known = {each.setting: each.seconds for each in advice.analysis.candidates if each.seconds}
    missing = [setting for setting in settings if setting not in known]
    if missing:
        expected = {each.setting: each.expected for each in advice.analysis.candidates}
        until = time.monotonic() + SECONDS
        known |= time_settings(advice.config, {each: expected[each] for each in missing}, until)
    own = advice.own.setting
    whole = advice.config.training.epochs * _epoch(advice, own, known)
    trainings = {}
    for setting in settings:
        if setting in known:
            an_epoch = _epoch(advice, setting, known)
            epochs = max(1, round(whole / an_epoch))
            trainings[setting] = Training(epochs, epochs * an_epoch)
    return trainings


def _epoch(advice: Advice, setting: Setting, seconds: Mapping[Setting, float]) -> float:
    """Seconds that an epoch takes."""
    config = setting.applied_to(advice.config)
    symbols = (
        make_workload(config).updates_per_epoch * config.graph.batch_size * config.graph.num_steps
    )
    return symbols * seconds[setting]


def judge(points: Sequence[Point], trainings: Mapping[Setting, Training]) -> list[Contest]:
    """The first point against each of the others, by the loss that `compare` ranks by."""
    groups = [group_runs([read_run(point.directory)])[0] for point in points]
    ranking = choose_ranking(groups, None)
    first, *others = [ranking.values(group) for group in groups]
    advised, *rest = trainings
    return [
        Contest(
            str(setting),
            trainings[setting].seconds / trainings[advised].seconds,
            paired.difference(first, values),
        )
        for setting, values in zip(rest, others, strict=True)
    ]


def sentence(advised: Candidate, contest: Contest, contests: int) -> str:
    """Who wins, by an interval that is wrong in at most 5 % of all these contests together.

    It is Bonferroni's, as `compare` shows the same pairs.
    """
    confidence = 1 - LEVEL / contests
    low, high = estimates.bounds(contest.difference, confidence)
    verdict = "wins" if high < 0 else "loses" if low > 0 else "is indistinguishable"
    link = "from" if verdict.startswith("is") else "against" if verdict == "wins" else "to"
    equal = 1 / NEARLY_EQUAL <= contest.times <= NEARLY_EQUAL
    time_of = "for as long" if equal else f"for {contest.times:.2g} times as long"
    interval = f"{100 * confidence:.4g} % interval {low:+.4f} to {high:+.4f}"
    return (
        f"{advised.setting} {verdict} {link} {contest.against}, trained {time_of}: loss "
        f"{contest.difference.value:+.4f}, {interval}"
    )
