"""Run a trained model forward on held-out data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from data.batching import cut_into_rows
from data.streams import evaluation_stream
from data.task import Array, Drawn, Examples, Task
from experiments.config.schema import Config
from experiments.errors import RunError, UsageError
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.directory import RunDirectory
from experiments.training.session import GraphSession, session_options, shape_of
from experiments.training.workload import make_workload
from rnn_graphs.evaluation import build_evaluation_graph
from rnn_graphs.metrics import of_held_out_data, values_of
from rnn_graphs.tf1 import tf

LOGITS_PER_RUN = 4_000_000  # of one session.run: what a wide softmax leaves in memory
TIME_STEPS_PER_RUN = 1000


class Evaluated(NamedTuple):
    """A forward pass over a whole set."""

    loss: float  # nats per time step that counts
    metrics: dict[str, float]  # all that the task can have of held-out data
    time_steps: int  # that count


class Evaluator(GraphSession):
    """One forward graph and session, for the checkpoints of every seed."""

    def __init__(self, config: Config, task: Task) -> None:
        graph = build_evaluation_graph(config.model, config.graph, shape_of(task))
        super().__init__(graph.graph, graph.snapshot, session_options(config.execution.threads))
        self._task = task
        self._graph = graph

    def evaluate(self, drawn: Drawn, batch_size: int) -> Evaluated:
        """The mean loss and metrics: a Sequence in rows with the state carried, or Examples."""
        names = list(self._graph.metrics)
        fetches = (self._graph.losses, *self._graph.metrics.values())
        total, sums = 0.0, np.zeros(len(fetches))
        for found, weights in self._runs(drawn, batch_size, fetches):
            total += float(weights.sum())
            sums += [(values.astype(np.float64) * weights).sum() for values in found]
        loss, *means = (sums / total).tolist()
        measured = dict(zip(names, means, strict=True))
        asked = of_held_out_data(self._task.labels)
        return Evaluated(loss, values_of(asked, loss, measured), int(total))

    def probabilities(self, drawn: Drawn, batch_size: int) -> Array:
        """The probability of each class, [batch, time, num_classes], along the rows."""
        fetches = (self._graph.probabilities,)
        parts = [part for (part,), _ in self._runs(drawn, batch_size, fetches)]
        return np.concatenate(parts).swapaxes(0, 1).astype(np.float64)

    def first_state(self) -> Any:
        """The state of one row before its first input."""
        return self._session.run(self._graph.zero_state, {self._graph.batch_size: 1})

    def read(self, ids: Array, state: Any) -> tuple[Array, Any]:
        """Read one row of ids [time] from a state: the last step's logits, and the state after."""
        graph = self._graph
        feeds = {graph.inputs: ids[:, None], graph.lengths: [len(ids)]}
        logits, state = self._session.run(
            (graph.logits, graph.final_state), feeds | self._state_feeds(state)
        )
        return logits[-1, 0], state

    def _runs(
        self, drawn: Drawn, batch_size: int, fetches: tuple[Any, ...]
    ) -> Iterator[tuple[list[Array], Array]]:
        """The fetches of each session.run, [time, batch, …], and the weights of its losses."""
        if isinstance(drawn, Examples):
            yield from self._run_examples(drawn, batch_size, fetches)
        else:
            yield from self._run_rows(drawn, batch_size, fetches)

    def _run_rows(
        self, drawn: Drawn, batch_size: int, fetches: tuple[Any, ...]
    ) -> Iterator[tuple[list[Array], Array]]:
        graph = self._graph
        rows = cut_into_rows(drawn, batch_size)
        state = self._session.run(graph.zero_state, {graph.batch_size: batch_size})
        steps = LOGITS_PER_RUN // (batch_size * self._task.num_classes)
        steps = max(1, min(TIME_STEPS_PER_RUN, steps))
        for start in range(0, rows.inputs.shape[1], steps):
            time = slice(start, start + steps)
            labels = rows.labels[:, time].T
            feeds = {graph.inputs: rows.inputs[:, time].swapaxes(0, 1), graph.labels: labels}
            *found, state = self._session.run(
                (*fetches, graph.final_state), feeds | self._state_feeds(state)
            )
            yield found, np.ones(labels.shape)

    def _run_examples(
        self, drawn: Examples, batch_size: int, fetches: tuple[Any, ...]
    ) -> Iterator[tuple[list[Array], Array]]:
        graph = self._graph
        for start in range(0, len(drawn.inputs), batch_size):
            parts: list[Array] = [part[start : start + batch_size] for part in drawn]
            batch = Examples(*parts)
            count = len(batch.inputs)
            state = self._session.run(graph.zero_state, {graph.batch_size: count})
            feeds = {
                graph.inputs: batch.inputs.swapaxes(0, 1),
                graph.labels: batch.labels.T,
                graph.lengths: batch.lengths,
            }
            found = self._session.run(fetches, feeds | self._state_feeds(state))
            yield list(found), batch.weights.T

    def _state_feeds(self, state: Any) -> dict[Any, Array]:
        pairs = zip(tf.nest.flatten(self._graph.state), tf.nest.flatten(state), strict=True)
        return dict(pairs)


class SplitResult(NamedTuple):
    """One seed's checkpoint on one held-out set."""

    seed: int
    updates: int
    split: str
    evaluated: Evaluated


def evaluate_run(
    directory: RunDirectory, batch_size: int | None, checkpoint: str
) -> list[SplitResult]:  # fmt: skip
    """Each seed's checkpoint, "last" or "best", on every held-out set, at any batch size."""
    config = directory.read_config()
    task = make_workload(config).task
    results = []
    with Evaluator(config, task) as evaluator:
        for seed in config.seeds:
            found = find_checkpoint(directory, seed, checkpoint)
            if found is None:
                continue
            if found.position.status == "diverged":
                print(f"warning: seed {seed} diverged; it is left out", file=sys.stderr)
                continue
            load_into(evaluator, directory, found)
            for split in task.held_out:
                drawn = task.evaluation(split, evaluation_stream(seed))
                size = _fitting(drawn, batch_size, config.graph.batch_size)
                evaluated = evaluator.evaluate(drawn, size)
                results.append(SplitResult(seed, found.position.updates, split, evaluated))
    if not results:
        raise RunError(f"{directory.path}: no {checkpoint} checkpoint to evaluate; train first")
    return results


def find_checkpoint(directory: RunDirectory, seed: int, which: str) -> Checkpoint | None:
    """A seed's "last" or "best" checkpoint; None where there is none.

    Raises RunError where none of those that are there can be read.
    """
    if which == "best":
        return checkpoints.best(directory.checkpoints, seed)
    found = checkpoints.newest(directory.checkpoints, seed)
    if found.checkpoint is None and found.unreadable:
        raise RunError(f"{found.unreadable[0]}: damaged, or no checkpoint of this program")
    return found.checkpoint


def load_into(evaluator: Evaluator, directory: RunDirectory, checkpoint: Checkpoint) -> None:
    """Load a checkpoint. Raises RunError where it is not of this run's model, or not finite."""
    path = checkpoints.path_of(directory.checkpoints, checkpoint.position)
    if not path.exists():
        path = path.with_name(checkpoints.BEST)
    try:
        evaluator.restore(checkpoint.variables)
    except ValueError as error:
        raise RunError(f"{path}: {error}") from error
    for name in evaluator.names:
        if not np.isfinite(checkpoint.variables[name]).all():
            raise RunError(f"{path}: {name}: expected finite values, found nan or inf")


def _fitting(drawn: Drawn, asked: int | None, trained: int) -> int:
    """The batch size: as asked, or as in training where the set is large enough for it."""
    size = len(drawn.inputs)
    if asked is not None and not 1 <= asked <= size:
        raise UsageError(f"--batch-size: expected 1 to the size of the data, {size}; got {asked}")
    return asked or min(trained, size)
