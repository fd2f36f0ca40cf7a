"""Resources that the runs of one process share: a graph with its sessions, and a progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.config.schema import Config
from experiments.training.progress import Progress
from experiments.training.side_by_side import side_by_side
from experiments.training.workload import Workload
from rnn_graphs.config import ExecutionConfig

if TYPE_CHECKING:
    from experiments.training.session import TrainingSession
    from rnn_graphs.graphs.training import TrainingGraph
    from rnn_graphs.model import TaskShape

# (config, workload, progress, count) → that many sessions on one graph.
OpenSessions = Callable[[Config, Workload, Progress, int], "Sequence[TrainingSession]"]


class RunResources(NamedTuple):
    """The sessions and the progress that a run is trained with."""

    open_sessions: OpenSessions
    open_progress: Callable[[Path], AbstractContextManager[Progress]]  # by the path of log.txt


class _Opened(NamedTuple):
    graph: TrainingGraph
    sessions: list[TrainingSession]


@contextlib.contextmanager
def one_graph() -> Iterator[OpenSessions]:
    """Sessions on one built graph, for runs that differ in nothing but their seeds.

    The first run that asks builds it; the sessions are closed at the end of the block. A run that
    began with another execution or vocabulary, and keeps it, has a graph and sessions of its own.
    """
    opened: dict[tuple[ExecutionConfig, TaskShape], _Opened] = {}
    with contextlib.ExitStack() as stack:

        def open_sessions(
            config: Config, workload: Workload, shown: Progress, count: int
        ) -> Sequence[TrainingSession]:
            from experiments.training import session  # imports TensorFlow

            kind = config.execution, session.training_shape(config, workload)
            if kind not in opened:
                shown.stage("build")
                opened[kind] = _Opened(session.build(config, workload), [])
            graph, sessions = opened[kind]
            threads = config.execution.threads
            missing = range(len(sessions), count)
            new = [stack.enter_context(session.TrainingSession(graph, threads)) for _ in missing]
            if new:
                shown.stage("compile")
                side_by_side([each.warm_up for each in new])
            sessions.extend(new)
            return sessions[:count]

        yield open_sessions
