"""Whether `execution.xla: auto` takes the better of on and off, for every shipped experiment."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.benchmarks.peers.contender import Contender, pace
from experiments.benchmarks.peers.work import work_of
from experiments.benchmarks.timing import Measurement
from experiments.config import catalog
from experiments.config.compose import load_config
from experiments.errors import RunError, UsageError
from experiments.training.execution import decide
from experiments.training.workload import make_workload

ROUNDS, SECONDS = 3, 0.5
AT_MOST = 1.1


def measure_choice() -> Iterator[Measurement]:
    """The seconds of each experiment's training as auto decides, against the better of on and off.

    These are the start of a process, plus the number of updates times the median update.
    """
    for experiment in catalog.names("experiment"):
        name = f"train {experiment}, execution.xla=auto, against the better of on and off"
        try:
            yield _row(name, experiment)
        except (UsageError, RunError) as error:  # its data are not here
            yield Measurement(name, None, "", None, None, f"skipped: {error}", None)


def _row(name: str, experiment: str) -> Measurement:
    config = load_config(experiment)
    workload = make_workload(config)
    chosen = decide(config, workload)
    assert isinstance(chosen.threads, int)
    work = work_of(experiment, [], chosen.threads)
    updates = workload.updates * len(config.seeds)
    took = {}
    for xla in ("on", "off"):
        begin, update = pace(Contender("ours", xla), work, ROUNDS, SECONDS)
        took[xla] = begin + updates * update
    ratio = took[chosen.xla] / min(took.values())
    return Measurement(
        name, took[chosen.xla], "s", min(took.values()), ratio,
        f"at most {AT_MOST:g} times as long; auto is {chosen.xla}", ratio <= AT_MOST,
    )  # fmt: skip
