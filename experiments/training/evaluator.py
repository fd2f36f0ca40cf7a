"""A model's forward pass over held-out data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from data.batching import Rows, cut_into_rows, in_windows
from data.task import Array, Drawn, Examples, Task
from data.task import Sequence as OneSequence
from experiments.config.schema import Config
from experiments.errors import Interrupted
from experiments.interrupts import Stop, StopRequest
from experiments.training.carried_state import starts_of_rows
from experiments.training.session import GraphSession, session_options, shape_of
from rnn_graphs.graphs.evaluation import build_evaluation_graph
from rnn_graphs.metrics import of_held_out_data, values_of
from rnn_graphs.tf1 import tf

ROW_STEPS = 100  # of a row at least: shorter ones forget nothing
LOGITS_PER_RUN = 4_000_000  # of one session.run: what a wide softmax leaves in memory
TIME_STEPS_PER_RUN = 1000
# Of one session.run, in about a second. Not by the clock: another length rounds otherwise.
MULTIPLICATIONS_PER_RUN = 20_000_000_000


class Evaluated(NamedTuple):
    """A forward pass over a whole set."""

    loss: float  # nats per time step that counts
    metrics: dict[str, float]  # all that the task can have of held-out data
    time_steps: int  # that count


class Fetched(NamedTuple):
    """The results of one session.run."""

    values: list[Array]  # [time, batch, …] each
    weights: Array  # [time, batch]: 1 where the loss counts
    state: Any  # after it, of each row


class Evaluator(GraphSession):
    """One forward graph and session, for the checkpoints of every seed."""

    def __init__(self, config: Config, task: Task, stop: Stop | None = None) -> None:
        """On a request to stop, reading a set raises Interrupted between two session.runs."""
        shape = shape_of(task, config.training.carry_state)
        graph = build_evaluation_graph(config.model, config.graph, shape)
        super().__init__(graph.graph, graph.snapshot, session_options(config.execution.threads))
        self._config = config
        self._task = task
        self._graph = graph
        self._stop = stop or StopRequest()
        # Of windows that start anew, as they do in training; None: the state is carried.
        self._window_steps = config.graph.num_steps if shape.resets_state else None

    def evaluate(self, drawn: Drawn, batch_size: int, rows: int | None = None) -> Evaluated:
        """The mean loss and metrics over all time steps that count.

        A Sequence is read as one, with the state carried to its end; the batch size decides only
        how many parts of it are read side by side. With `rows`, it is cut into that many
        rows, each of which starts from zeros. A model trained with training.carry_state=false
        reads it in windows of graph.num_steps, which start anew.
        """
        fetches = (self._graph.losses, *self._graph.metrics.values())
        total, sums = 0.0, np.zeros(len(fetches))
        for found, weights, _ in self._whole(drawn, batch_size, rows, fetches):
            total += float(weights.sum())
            sums += [(values.astype(np.float64) * weights).sum() for values in found]
        loss, *means = (sums / total).tolist()
        measured = dict(zip(self._graph.metrics, means, strict=True))
        asked = of_held_out_data(self._task.labels)
        return Evaluated(loss, values_of(asked, loss, measured), int(total))

    def probabilities(self, drawn: Drawn, batch_size: int) -> Array:
        """The probability of each class, [batch, time, num_classes], in rows from zeros.

        A model trained with training.carry_state=false reads whole windows, each of them a row.
        """
        fetches = (self._graph.probabilities,)
        if self._window_steps is not None and not isinstance(drawn, Examples):
            whole = len(drawn.labels) // self._window_steps * self._window_steps
            drawn = OneSequence(*(part[:whole] for part in drawn))
            drawn = in_windows(drawn, self._window_steps)
        parts = [part for (part,), *_ in self._runs(drawn, batch_size, fetches)]
        # Parts of rows follow each other in time; batches of examples lie side by side.
        joined = np.concatenate(parts, 1 if isinstance(drawn, Examples) else 0)
        return joined.swapaxes(0, 1).astype(np.float64)

    def losses(self, sequence: OneSequence) -> Array:
        """The loss of each step of one sequence, [size], nats."""
        parts = [part for (part,), *_ in self._runs(sequence, 1, (self._graph.losses,))]
        return np.concatenate(parts)[:, 0].astype(np.float64)

    def first_state(self) -> Any:
        """The state of one row before its first input."""
        return self._first_state(1)

    def read(self, ids: Array, state: Any) -> tuple[Array, Any]:
        """Read one row of ids [time] from a state: the last step's logits, and the state after."""
        graph = self._graph
        feeds = {graph.inputs: ids[:, None], graph.lengths: [len(ids)]}
        logits, state = self._session.run(
            (graph.logits, graph.final_state), feeds | self._state_feeds(state)
        )
        return logits[-1, 0], state

    def _whole(
        self, drawn: Drawn, batch_size: int, rows: int | None, fetches: tuple[Any, ...]
    ) -> Iterator[Fetched]:
        """A whole set, each time step once; in rows that start from zeros, the rest is left out."""
        drawn = as_read(drawn, self._config)
        if rows is not None or isinstance(drawn, Examples):
            yield from self._runs(drawn, rows or batch_size, fetches)
            return
        size = len(drawn.inputs)
        side_by_side = max(1, min(batch_size, size // ROW_STEPS))
        rows_of = cut_into_rows(drawn, side_by_side)
        state = self._starts(rows_of)
        if state is None:
            rows_of = cut_into_rows(drawn, 1)
            state = self.first_state()
        for fetched in self._run_rows(rows_of, state, fetches):
            yield fetched
            state = fetched.state
        rest = slice(rows_of.inputs.size, size)  # after the last row, and less than a step a row
        if rest.start < size:
            left = drawn._replace(inputs=drawn.inputs[rest], labels=drawn.labels[rest])
            last = tf.nest.map_structure(lambda part: part[-1:], state)
            yield from self._run_rows(cut_into_rows(left, 1), last, fetches)

    def _starts(self, rows: Rows) -> Any:
        """The state at the start of each row of one sequence; None where it takes one row."""
        count = len(rows.inputs)
        first = self._first_state(count)
        if count == 1:
            return first

        def ends_of(starts: Sequence[Array]) -> list[Array]:
            state = tf.nest.pack_sequence_as(first, list(starts))
            *_, last = self._run_rows(rows, state, ())
            return list(tf.nest.flatten(last.state))

        starts = starts_of_rows(ends_of, tf.nest.flatten(first))
        return None if starts is None else tf.nest.pack_sequence_as(first, starts)

    def _runs(self, drawn: Drawn, batch_size: int, fetches: tuple[Any, ...]) -> Iterator[Fetched]:
        """A set in batches of this size: rows that each start from the first state, or examples."""
        if isinstance(drawn, Examples):
            yield from self._run_examples(drawn, batch_size, fetches)
        else:
            rows = cut_into_rows(drawn, batch_size)
            yield from self._run_rows(rows, self._first_state(batch_size), fetches)

    def _run_rows(self, rows: Rows, state: Any, fetches: tuple[Any, ...]) -> Iterator[Fetched]:
        """Rows from their states [rows, …], which are carried from run to run."""
        graph = self._graph
        steps = self._window_steps or self._steps_per_run(len(rows.inputs))
        for start in range(0, rows.inputs.shape[1], steps):
            if self._window_steps is not None:
                state = self._first_state(len(rows.inputs))
            time = slice(start, start + steps)
            labels = rows.labels[:, time].T
            feeds = {graph.inputs: rows.inputs[:, time].swapaxes(0, 1), graph.labels: labels}
            *found, state = self._forward(fetches, feeds, state)
            yield Fetched(found, np.ones(labels.shape), state)

    def _steps_per_run(self, rows: int) -> int:
        """Time steps of one session.run on so many rows."""
        by_memory = LOGITS_PER_RUN // (rows * self._task.num_classes)
        by_work = MULTIPLICATIONS_PER_RUN // (rows * max(1, self._graph.layer_weights))
        return max(1, min(TIME_STEPS_PER_RUN, by_memory, by_work))

    def _run_examples(
        self, drawn: Examples, batch_size: int, fetches: tuple[Any, ...]
    ) -> Iterator[Fetched]:
        graph = self._graph
        for start in range(0, len(drawn.inputs), batch_size):
            parts: list[Array] = [part[start : start + batch_size] for part in drawn]
            batch = Examples(*parts)
            count = len(batch.inputs)
            state = self._first_state(count)
            feeds = {
                graph.inputs: batch.inputs.swapaxes(0, 1),
                graph.labels: batch.labels.T,
                graph.lengths: batch.lengths,
            }
            *found, state = self._forward(fetches, feeds, state)
            yield Fetched(found, batch.weights.T, state)

    def _forward(
        self, fetches: tuple[Any, ...], feeds: dict[Any, Array], state: Any
    ) -> tuple[Any, ...]:
        """One session.run: what is fetched, and the state after it."""
        if self._stop.requested:
            raise Interrupted("stopped while a model was evaluated")
        found: tuple[Any, ...] = self._session.run(
            (*fetches, self._graph.final_state), feeds | self._state_feeds(state)
        )
        return found

    def _first_state(self, rows: int) -> Any:
        """The state of rows before their first input."""
        return self._session.run(self._graph.first_state, {self._graph.batch_size: rows})

    def _state_feeds(self, state: Any) -> dict[Any, Array]:
        pairs = zip(tf.nest.flatten(self._graph.state), tf.nest.flatten(state), strict=True)
        return dict(pairs)


def as_read(drawn: Drawn, config: Config) -> Drawn:
    """The data as a model reads them: windows that start anew are examples of num_steps steps."""
    if isinstance(drawn, Examples) or config.training.carry_state:
        return drawn
    return in_windows(drawn, config.graph.num_steps)
