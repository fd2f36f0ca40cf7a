"""A TensorFlow session on a training graph, in the terms of training."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from data.batching import Windows
from data.buckets import bucket_of_batches
from data.task import Array, Task
from experiments.config.schema import Config
from experiments.training.workload import Workload
from experiments.training.xla import uses_xla
from rnn_graphs.graphs.snapshot import Snapshot
from rnn_graphs.graphs.training import (
    GraphConfigs,
    StepMaker,
    TrainingGraph,
    build_training_graph,
)
from rnn_graphs.metrics import measured_in_graph
from rnn_graphs.model import TaskShape
from rnn_graphs.tf1 import keep_xla_to_one_thread, tf
from rnn_graphs.truncation.step import make_step


def build(
    config: Config, workload: Workload, step_maker: StepMaker = make_step
) -> TrainingGraph:  # fmt: skip
    """The training graph of a config."""
    return build_training_graph(
        GraphConfigs(
            config.model, config.graph, config.truncation, config.optimizer, config.execution
        ),
        training_shape(config, workload),
        measured_in_graph(config.logging.metrics),
        uses_xla(config, workload),
        step_maker,
    )


def shape_of(task: Task, carry_state: bool = True) -> TaskShape:
    """The properties of the task that the graph depends on; for `carry_state` see base.yaml."""
    return TaskShape(
        task.num_inputs, task.num_classes, task.inputs, task.labels, task.carries_state,
        task.decoder_ids, not carry_state,
    )  # fmt: skip


def training_shape(config: Config, workload: Workload) -> TaskShape:
    """The properties of the task and its data that the training graph depends on."""
    shape = shape_of(workload.task, config.training.carry_state)
    return shape._replace(padded=workload.padded)


Threads = int | Literal["auto"] | None


def session_options(threads: Threads) -> tf.ConfigProto:
    """Thread pools of this size, of the session alone; TensorFlow's own choice for None.

    A run has decided what auto is (execution.py); elsewhere it is one.
    """
    size = 1 if threads == "auto" else threads
    if size == 1:
        keep_xla_to_one_thread()
    return tf.ConfigProto(
        intra_op_parallelism_threads=size or 0,
        inter_op_parallelism_threads=size or 0,
        use_per_session_threads=True,  # sessions side by side would wait for each other
    )


class GraphSession:
    """A session on one graph; a context manager that closes it."""

    def __init__(self, graph: tf.Graph, snapshot: Snapshot, options: tf.ConfigProto) -> None:
        self._session = tf.Session(graph=graph, config=options)
        self._snapshot = snapshot

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    @property
    def names(self) -> list[str]:
        """The names of the variables that `restore` sets."""
        return list(self._snapshot.values)

    def fetch(self, fetches: Any, feeds: dict[Any, Any] | None = None) -> Any:
        """The values of tensors of the graph, nested alike."""
        return self._session.run(fetches, feeds)

    def restore(self, variables: dict[str, NDArray[Any]]) -> None:
        """Set every variable of the snapshot; other values are ignored.

        Raises ValueError where names, shapes or types are not this graph's.
        """
        feeds = {}
        for name, placeholder in self._snapshot.values.items():
            shape, kind = tuple(placeholder.shape.as_list()), placeholder.dtype.as_numpy_dtype
            expected = f"{np.dtype(kind)} of shape {shape}"
            if name not in variables:
                raise ValueError(f"{name}: expected {expected}, found nothing")
            value = variables[name]
            if value.shape != shape or value.dtype != kind:
                found = f"{value.dtype} of shape {value.shape}"
                raise ValueError(f"{name}: expected {expected}, found {found}")
            feeds[placeholder] = value
        self._session.run(self._snapshot.restore, feeds)


class TrainingSession(GraphSession):
    """A session on a training graph, which is initialized for each seed."""

    def __init__(self, graph: TrainingGraph, threads: Threads) -> None:
        super().__init__(graph.graph, graph.snapshot, session_options(threads))
        self._graph = graph

    @property
    def iterations(self) -> int:
        """The maximum number of windows for one call of `train`."""
        return self._graph.iterations

    def warm_up(self) -> None:
        """Run once without a window, so that the first seed's time does not include compiling.

        Initialize or restore the variables after it.
        """
        places = [place for place in self._graph.feeds if place is not None]
        feeds = {place: np.zeros(place.shape, np.int8) for place in places}
        self.initialize(0)
        self._session.run(self._graph.metrics, {**feeds, self._graph.count: 0})

    def initialize(self, seed: int) -> None:
        """Set the weights from the seed, the slots and the state to their first values."""
        self._session.run(self._graph.initialize, {self._graph.seed: seed})

    def reset_state(self) -> None:
        """Set what windows carry, a state and an influence, to their first values for an epoch."""
        self._session.run(self._graph.reset_state)

    def choose(self, index: int) -> None:
        """Set the depth of a style that chooses it, until the next reset of the state."""
        choice = self._graph.choose
        assert choice is not None
        self._session.run(choice.set, {choice.index: index})

    def train(self, windows: Windows, count: int) -> dict[str, Array]:
        """One update for each of `count` windows.

        Returns the metrics of each, [count]: "loss" in nats, and the others of the graph.
        """
        into = self._graph.feeds
        feeds = {
            into.inputs: _time_major(windows.inputs, into.inputs),
            into.labels: _time_major(windows.labels, into.labels),
            self._graph.count: count,
        }
        if into.weights is not None:
            feeds[into.weights] = _time_major(_given(windows.weights), into.weights)
        if into.lengths is not None:
            feeds[into.lengths] = _time_major(_given(windows.lengths), into.lengths)
        if into.buckets is not None:
            buckets = np.zeros(into.buckets.shape, np.int32)
            buckets[:count] = bucket_of_batches(_given(windows.lengths), self._graph.padded)
            feeds[into.buckets] = buckets
        measured: dict[str, Array] = self._session.run(self._graph.metrics, feeds)
        return {name: values[:count] for name, values in measured.items()}

    def variables(self) -> dict[str, NDArray[Any]]:
        """Every variable's value, by name."""
        values: dict[str, NDArray[Any]] = self._session.run(self._snapshot.variables)
        return values


def _time_major(sequence: Array, placeholder: Any) -> Array:
    """[batch, time, …] → the placeholder's [time, batch, …]; what lies past the windows is 0."""
    padded = np.empty(placeholder.shape.as_list(), sequence.dtype)
    padded[: sequence.shape[1]] = sequence.swapaxes(0, 1)
    padded[sequence.shape[1] :] = 0
    return padded


def _given(part: Array | None) -> Array:
    assert part is not None, "a task without carried state gives weights and lengths"
    return part
