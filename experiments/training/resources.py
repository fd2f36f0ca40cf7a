"""Resources that the runs of one process share: a built graph, and how progress is shown."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.config.schema import Config
from experiments.training.progress import Progress
from experiments.training.workload import Workload

if TYPE_CHECKING:
    from experiments.training.session import TrainingSession

OpenSession = Callable[[Config, Workload, Progress], "TrainingSession"]


class RunResources(NamedTuple):
    """The session and the progress that a run is trained with."""

    open_session: OpenSession
    open_progress: Callable[[Path], AbstractContextManager[Progress]]  # by the path of log.txt


@contextlib.contextmanager
def one_session() -> Iterator[OpenSession]:
    """One session on one built graph, for runs that differ in nothing but their seeds.

    The first run that asks builds it; it is closed at the end of the block.
    """
    opened: list[TrainingSession] = []
    with contextlib.ExitStack() as stack:

        def open_session(config: Config, workload: Workload, shown: Progress) -> TrainingSession:
            from experiments.training.session import TrainingSession, build  # imports TensorFlow

            if not opened:
                shown.stage("build")
                graph = build(config, workload)
                session = TrainingSession(graph, config.execution.threads)
                opened.append(stack.enter_context(session))
                shown.stage("compile")
                session.warm_up()
            return opened[0]

        yield open_session
