"""Run a trained model forward on fresh data."""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows, cut_into_rows
from data.streams import evaluation_stream
from data.tasks import make_task
from experiments import checkpoints
from experiments.config import Config
from experiments.errors import RunError, UsageError
from experiments.run_directory import RunDirectory
from experiments.session import feeds_to_restore, session_options
from rnn_graphs.build import TaskShape
from rnn_graphs.evaluation import build_evaluation_graph
from rnn_graphs.tf1 import tf

TIME_STEPS_PER_RUN = 1000


class Evaluated(NamedTuple):
    """A forward pass over all rows."""

    losses: NDArray[np.float64]  # [batch, time], nats
    probabilities: NDArray[np.float64]  # [batch, time, num_classes]


class Evaluator:
    """One forward graph and session, for the checkpoints of every seed."""

    def __init__(self, config: Config, num_inputs: int, num_classes: int) -> None:
        shape = TaskShape(num_inputs, num_classes)
        self._graph = build_evaluation_graph(config.model, config.graph, shape)
        options = session_options(config.execution.threads)
        self._session = tf.Session(graph=self._graph.graph, config=options)

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def load(self, variables: dict[str, NDArray[Any]]) -> None:
        """Take the model's variables from a checkpoint; those of training are left aside."""
        snapshot = self._graph.snapshot
        self._session.run(snapshot.restore, feeds_to_restore(snapshot, variables))

    def run(self, rows: Rows) -> Evaluated:
        """Losses and probabilities along the rows, from a state of zeros, state carried."""
        graph = self._graph
        batch_size, length = rows.inputs.shape
        state = self._session.run(graph.zero_state, {graph.batch_size: batch_size})
        losses, probabilities = [], []
        for start in range(0, length, TIME_STEPS_PER_RUN):
            time = slice(start, start + TIME_STEPS_PER_RUN)
            feeds = {graph.inputs: rows.inputs[:, time].T, graph.labels: rows.labels[:, time].T}
            feeds |= dict(zip(tf.nest.flatten(graph.state), tf.nest.flatten(state), strict=True))
            part, chances, state = self._session.run(
                (graph.losses, graph.probabilities, graph.final_state), feeds
            )
            losses.append(part.T)
            probabilities.append(chances.transpose(1, 0, 2))
        return Evaluated(
            np.concatenate(losses, 1).astype(np.float64),
            np.concatenate(probabilities, 1).astype(np.float64),
        )


class SeedLoss(NamedTuple):
    """The loss of one seed's checkpoint on fresh data."""

    seed: int
    updates: int
    loss: float  # nats per time step
    time_steps: int  # that the mean is over


def evaluate_run(directory: RunDirectory, batch_size: int | None) -> list[SeedLoss]:
    """The loss of each seed's newest checkpoint on fresh data, at any batch size."""
    config = directory.read_config()
    task = make_task(config.task)
    if batch_size is not None and not 1 <= batch_size <= config.task.size:
        raise UsageError(
            f"--batch-size: expected 1 to task.size, {config.task.size}; got {batch_size}"
        )
    results = []
    with Evaluator(config, task.num_inputs, task.num_classes) as evaluator:
        for seed in config.seeds:
            found = checkpoints.newest(directory.checkpoints, seed)
            if found.checkpoint is None:
                continue
            try:
                evaluator.load(found.checkpoint.variables)
            except ValueError as error:
                raise RunError(f"{directory.path}: seed {seed}: {error}") from error
            sequence = task.fresh(evaluation_stream(seed))
            rows = cut_into_rows(
                *sequence, min(batch_size or config.graph.batch_size, len(sequence.inputs))
            )
            losses = evaluator.run(rows).losses
            updates = found.checkpoint.position.updates
            results.append(SeedLoss(seed, updates, float(losses.mean()), losses.size))
    if not results:
        raise RunError(f"{directory.path}: no checkpoint to evaluate; train first")
    return results
