"""Whether `execution.xla: auto` takes the better of on and off, for every shipped experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from experiments.benchmarks.peers.contender import Contender, seconds_alone
from experiments.benchmarks.peers.work import work_of
from experiments.benchmarks.timing import Measurement
from experiments.config import catalog
from experiments.config.compose import load_config
from experiments.errors import RunError, UsageError
from experiments.training.execution import decide
from experiments.training.workload import make_workload
from rnn_graphs.config import ExecutionConfig

ROUNDS, SECONDS = 3, 0.5
AT_MOST = 1.1


Decided = Mapping[str, ExecutionConfig | str]  # by experiment; the reason where it cannot be


def decide_all() -> Decided:
    """How `train` would execute each experiment; to be asked before TensorFlow is imported."""
    return {experiment: _decided(experiment) for experiment in catalog.names("experiment")}


def _decided(experiment: str) -> ExecutionConfig | str:
    config = load_config(experiment)
    try:
        return decide(config, make_workload(config))
    except UsageError as error:  # its data are not here
        return str(error)


def measure_choice(decided: Decided) -> Iterator[Measurement]:
    """The seconds of each experiment's training as auto decides, against the better of on and off.

    These are the start of a process, plus the number of updates times the median update.
    """
    for experiment, chosen in decided.items():
        name = f"train {experiment}, execution.xla=auto, against the better of on and off"
        if isinstance(chosen, str):
            yield Measurement(name, None, "", None, None, f"skipped: {chosen}", None)
            continue
        try:
            yield _row(name, experiment, chosen)
        except RunError as error:
            yield Measurement(name, None, "", None, None, f"failed: {error}", False)


def _row(name: str, experiment: str, chosen: ExecutionConfig) -> Measurement:
    config = load_config(experiment)
    workload = make_workload(config)
    assert isinstance(chosen.threads, int)
    work = work_of(experiment, [], chosen.threads)
    updates = workload.updates * len(config.seeds)
    took = {}
    for xla in ("on", "off"):
        begin, update = seconds_alone(Contender("ours", xla), work, ROUNDS, SECONDS)
        took[xla] = begin + updates * update
    ratio = took[chosen.xla] / min(took.values())
    return Measurement(
        name, took[chosen.xla], "s", min(took.values()), ratio,
        f"at most {AT_MOST:g} times as long; auto is {chosen.xla}", ratio <= AT_MOST,
    )  # fmt: skip
