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

if TYPE_CHECKING:
    from experiments.training.session import TrainingSession
    from rnn_graphs.build import TrainingGraph

# (config, workload, progress, count) → that many sessions on one graph.
OpenSessions = Callable[[Config, Workload, Progress, int], "Sequence[TrainingSession]"]


class RunResources(NamedTuple):
    """The sessions and the progress that a run is trained with."""

    open_sessions: OpenSessions
    open_progress: Callable[[Path], AbstractContextManager[Progress]]  # by the path of log.txt


@contextlib.contextmanager
def one_graph() -> Iterator[OpenSessions]:
    """Sessions on one built graph, for runs that differ in nothing but their seeds.

    The first run that asks builds it; the sessions are closed at the end of the block.
    """
    graphs: list[TrainingGraph] = []
    opened: list[TrainingSession] = []
    with contextlib.ExitStack() as stack:

        def open_sessions(
            config: Config, workload: Workload, shown: Progress, count: int
        ) -> Sequence[TrainingSession]:
            from experiments.training.session import TrainingSession, build  # imports TensorFlow

            if not graphs:
                shown.stage("build")
                graphs.append(build(config, workload))
            missing = range(len(opened), count)
            threads = config.execution.threads
            new = [stack.enter_context(TrainingSession(graphs[0], threads)) for _ in missing]
            if new:
                shown.stage("compile")
                side_by_side([session.warm_up for session in new])
            opened.extend(new)
            return opened[:count]

        yield open_sessions
