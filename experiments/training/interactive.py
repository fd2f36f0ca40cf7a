"""Training from Python: `train` for a whole run, `build_graph` and `Trainer` for single updates."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.interrupts import stop_request
from experiments.runs.run import Run, read_run
from experiments.training import runner
from experiments.training.execution import prepared
from experiments.training.workload import make_workload

if TYPE_CHECKING:
    from rnn_graphs.graphs.training import TrainingGraph


def train(
    experiment: str | Config,
    overrides: Sequence[str] = (),
    run_dir: str | Path | None = None,
    overwrite: bool = False,
    data_changed: bool = False,
) -> Run:
    """Train an experiment as `run.py train` does, or resume it. Returns the finished run.

    `experiment` is a name, the path of a YAML file, or a config. A config takes no overrides
    and needs a `run_dir`; `data_changed` lets a run continue on other data than it was trained
    on. Without `run_dir`, the run is in runs/<experiment>/<overrides or "default">/.

    Raises UsageError (the config or the directory cannot be used), RunError (a seed diverged,
    the disk is full) or Interrupted (Ctrl-C; the next call resumes).
    """
    if isinstance(experiment, Config):
        if overrides:
            raise UsageError("overrides: expected none beside a config; pass them to load_config")
        if run_dir is None:
            raise UsageError("run_dir: expected a folder for a run given by its config, got None")
        config = experiment
    else:
        config = load_config(experiment, overrides)
    path = runner.default_directory(config, overrides) if run_dir is None else Path(run_dir)
    runner.train(config, path, overwrite, data_changed)
    return read_run(path)


def build_graph(config: Config) -> TrainingGraph:
    """The finalized training graph of a config: its endpoints to feed and to fetch.

    Raises UsageError where a data file is missing or the config does not fit the data.
    """
    workload = make_workload(config)
    config = prepared(config, workload)
    from experiments.training.session import build  # TensorFlow takes seconds to import

    return build(config, workload)


class Trainer:
    """Trains one seed of a config update by update, in memory: no run directory, no end.

    Its updates are those of `train`: the same data, weights and losses. Use it as a context
    manager, or call `close`.
    """

    def __init__(self, config: Config, seed: int | None = None) -> None:
        """Build the graph and initialize a seed, `training.first_seed` by default.

        Raises UsageError where a data file is missing or the config does not fit the data.
        """
        workload = make_workload(config)
        config = prepared(config, workload)
        from experiments.training.adaptive import open_chooser
        from experiments.training.loop import TrainingLoop
        from experiments.training.session import TrainingSession, build

        self.config = config
        self.seed = config.training.first_seed if seed is None else seed
        self.graph = build(config, workload)
        self._workload = workload
        self._epoch = self._window = 0  # the next ones, counted from 0
        self._stream = training_stream(self.seed)
        self._opened = ExitStack()
        self._session = self._opened.enter_context(
            TrainingSession(self.graph, config.execution.threads)
        )
        chooser = self._opened.enter_context(open_chooser(config, workload))
        self._loop = TrainingLoop(config, workload, self._session, chooser)
        self._loop.start(self.seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def update(self, count: int = 1) -> dict[str, NDArray[Any]]:
        """Train for `count` updates; each epoch draws new data and resets the state.

        Returns the metrics of each update by name, [count]: "loss" in nats per time step,
        and those of `logging.metrics` that are measured in the graph.
        Raises ValueError for a count below 1. Ctrl-C raises KeyboardInterrupt after the session.run
        under way, and the next call goes on from there; a second one does not wait.
        """
        if count < 1:
            raise ValueError(f"count: expected 1 or more, got {count}")
        parts = []
        with stop_request() as stop:
            while count and not stop.requested:
                parts.append(self._train(count))
                count -= len(parts[-1]["loss"])
        if stop.requested:
            raise KeyboardInterrupt
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _train(self, most: int) -> dict[str, NDArray[Any]]:
        """One session.run of this many updates at most, which ends with the epoch."""
        if self._window == 0:
            self._rows = self._loop.begin_epoch(self._epoch, self._stream)
        left = self._workload.updates_per_epoch - self._window
        size = min(most, self._loop.longest, left)
        measured = self._loop.train(self._rows, self._window, size)
        self._window += size
        if size == left:
            self._epoch, self._window = self._epoch + 1, 0
            del self._rows  # before the next epoch is drawn, or memory would hold both
        return measured

    def variables(self) -> dict[str, NDArray[Any]]:
        """The value of every variable of the graph, by name."""
        return self._session.variables()

    def close(self) -> None:
        """Close the sessions."""
        self._opened.close()
