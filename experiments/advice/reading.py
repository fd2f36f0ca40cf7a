"""Read a trained model on held-out windows: losses, error signal by lag, and memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.batching import Rows, Windows, cut_into_rows
from data.examples import take
from data.streams import evaluation_stream
from data.task import Drawn, Examples, Task
from experiments.advice.schedule import Schedule
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.rows import mean_of_present
from experiments.training.session import session_options, shape_of
from experiments.training.window_session import Feeds, WindowSession
from rnn_graphs.graphs.signal import build_signal_graph

WINDOWS = 8  # read one after the other
FEWEST = 2  # windows, for a spread between them
FEWEST_ROWS, MOST_ROWS = 8, 256  # read side by side
READING_SHARE = 0.05  # of the time for training, for one reading
STEP_FACTOR = 3  # of training's time for a step: float64, and two readings of each window
WARM_UP = 1  # windows before them, after which a state has forgotten that it began with zeros


class Reading(NamedTuple):
    """One model on all windows."""

    updates: int  # of training, before it
    loss: NDArray[np.float64]  # [windows], nats per time step, the mean of each
    error_signal: NDArray[np.float64]  # [windows, lags], ‖∂L_t/∂h_{t−k}‖; nan: no row is that long
    excess: NDArray[np.float64] | None  # [windows, num_steps], of memory.py; None: examples

    @property
    def mean_signal(self) -> NDArray[np.float64]:
        """The error signal, mean over windows, [lags]; nan at lags that no example is long for."""
        return mean_of_present(self.error_signal, 0)


class HeldOut(NamedTuple):
    """The held-out data of a pilot."""

    windows: list[Windows]  # the first WARM_UP are read only to have a state, if it is carried
    rows: int
    guess: float | None  # the entropy of the labels, nats: the loss without any input
    losses: NDArray[np.float64] | None  # [num_steps], how often a step of an example has a loss


def rows_to_read(schedule: Schedule, symbol_seconds: float, budget: float) -> int:
    """The rows that one reading has time for, if training takes these seconds for a symbol."""
    a_row = STEP_FACTOR * symbol_seconds * schedule.num_steps * (WARM_UP + WINDOWS)
    return max(FEWEST_ROWS, min(MOST_ROWS, int(READING_SHARE * budget / a_row)))


def held_out(config: Config, task: Task, num_steps: int, most_rows: int = MOST_ROWS) -> HeldOut:
    """The windows of the first held-out set that fills them, of at most these rows.

    Raises UsageError, naming the key, where none does.
    """
    for split in task.held_out:
        drawn = task.evaluation(split, evaluation_stream(config.training.first_seed))
        examples = isinstance(drawn, Examples)
        warm_up = 0 if examples else WARM_UP
        most = min(most_rows, config.graph.batch_size) if examples else most_rows
        steps = 1 if examples else num_steps  # of the data, for a window of one row
        number = min(most, len(drawn.labels) // ((warm_up + WINDOWS) * steps)) or 1
        rows = cut_into_rows(_whole_batches(drawn, number), number)
        count = min(warm_up + WINDOWS, rows.labels.shape[1] // num_steps)
        if count >= warm_up + FEWEST:
            windows = [rows.windows(place, 1, num_steps) for place in range(count)]
            return HeldOut(windows, number, _guess(task, rows), _places(rows, num_steps))
    raise UsageError(
        f"advise: no held-out set ({', '.join(task.held_out) or 'the task has none'}) fills "
        f"{FEWEST} windows of {num_steps} steps; expected more data"
    )


def _whole_batches(drawn: Drawn, rows: int) -> Drawn:
    """Examples without the rest that fills no batch; a sequence as it is."""
    if not isinstance(drawn, Examples):
        return drawn
    return take(drawn, slice(len(drawn.labels) // rows * rows))


def _guess(task: Task, rows: Rows) -> float | None:
    """Entropy of the labels that count."""
    if task.labels != "ids":
        return None
    weights = None if rows.weights is None else rows.weights.ravel()
    counts = np.bincount(rows.labels.ravel().astype(np.int64), weights)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _places(rows: Rows, num_steps: int) -> NDArray[np.float64] | None:
    if rows.weights is None:
        return None
    return np.asarray(rows.weights.reshape(-1, num_steps).sum(0), np.float64)


class Reader(WindowSession):
    """A session on a signal graph, used for the weights of every moment."""

    def __init__(self, config: Config, task: Task, data: HeldOut) -> None:
        """`config.graph.num_steps` is the width of a window."""
        wide = config.graph.model_copy(update={"batch_size": data.rows})
        graph = build_signal_graph(config.model, wide, shape_of(task))
        options = session_options(config.execution.threads)
        # Rewriting a wide unrolled graph takes longer than it saves in a few readings.
        options.graph_options.rewrite_options.disable_meta_optimizer = True
        super().__init__(graph, options)
        self._graph = graph
        self._data = data
        self._carries_state = task.carries_state

    def read(self, variables: dict[str, NDArray[Any]], updates: int) -> Reading:
        """Read the model with these weights."""
        self.restore(variables)
        warm_up = WARM_UP if self._carries_state else 0
        fetches = (self._graph.losses, self._graph.error_signal)
        read = [*self.in_turn(fetches, map(self.feeds, self._data.windows))]
        losses, signals = zip(*[found for _, found in read], strict=True)
        weights = [window.weights for window in self._data.windows]
        means = [
            float(np.average(loss, weights=None if weight is None else weight.T))
            for loss, weight in zip(losses, weights, strict=True)
        ]
        excess = None
        if self._carries_state:
            excess = np.array(self._excess([feeds for feeds, _ in read], losses)[warm_up:])
        return Reading(updates, np.array(means[warm_up:]), np.array(signals[warm_up:]), excess)

    def _excess(self, feeds: Sequence[Feeds], losses: Sequence[Any]) -> list[NDArray[np.float64]]:
        """For each window, the mean over rows of its loss from a stranger's state, less its own."""
        found = []
        for place, own in enumerate(losses):
            stranger = {leaf: _of_another_row(feeds, place, leaf) for leaf in self._before}
            read = self.fetch(self._graph.losses, feeds[place] | stranger)
            found.append((read - own).mean(1))
        return found


def _of_another_row(feeds: Sequence[Feeds], place: int, leaf: Any) -> NDArray[np.float64]:
    """A part of the state before window `place`, each row with that of the row before it.

    The first row has that of the last row, one window earlier; so has a single row its own.
    """
    own, earlier = feeds[place][leaf], feeds[max(place - 1, 0)][leaf]
    return np.concatenate([earlier[-1:], own[:-1]])
