"""The error signal by lag at initial weights: by cell and activation, c and h apart.

‖∂L_T/∂(part)_{T−k}‖ of a window's last loss, relative to its value at lag 1, as a product of
Jacobians makes it fall (Bengio, Simard & Frasconi 1994). Weights are drawn anew for each seed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from experiments.reporting.claims import Finding
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL, as_ratio
from experiments.studies.entries import Criterion, StudyFigure
from experiments.studies.findings import judged, percent
from experiments.studies.runs import StudyRuns
from rnn_graphs.config import ModelConfig, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS, CLASSES, BATCH = 32, 8, 50
TINIEST = 1e-300  # a relu that is off passes nothing at all

Array = NDArray[np.float64]


class SignalOf(Section):
    """A model, and the part of its state whose error is measured: 0 is h, or c of an LSTM."""

    cell: str
    activation: Any = None
    layer_norm: bool = False
    part: int = Field(default=0, ge=0, le=1)

    def signal(self, steps: int, seeds: int) -> Array:
        """[seeds, steps − 1]: at lags 1, 2, …, relative to lag 1."""
        keys = self.model_dump(exclude={"part"}, exclude_defaults=True)
        found = _signals(tuple(sorted(keys.items())), steps, seeds)[:, self.part]
        return np.maximum(found / found[:, :1], TINIEST)


@functools.lru_cache(maxsize=32)
def _signals(keys: tuple[tuple[str, Any], ...], steps: int, seeds: int) -> Array:
    """[seeds, parts, steps − 1], on random inputs, with weights drawn as training draws them."""
    from rnn_graphs.error_signal import error_signal_of_parts
    from rnn_graphs.initializers import initialize
    from rnn_graphs.model import Model, TaskShape
    from rnn_graphs.tf1 import tf
    from rnn_graphs.truncation.step import Window

    config = ModelConfig(state_size=UNITS, **dict(keys))
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(config, TaskShape(CLASSES, CLASSES), tf.float64)
        inputs, labels = (tf.placeholder(tf.int32, [steps, BATCH]) for _ in range(2))
        window = Window(inputs, labels, model.zero_state(BATCH), tf.constant([0, 0]))
        signal = error_signal_of_parts(model, window)
        seed = tf.placeholder(tf.int32, [])
        start = initialize(model.all_variables, seed, config, model.input_rows)
        results = []
        for number in range(seeds):
            session.run(start, {seed: number})
            stream = np.random.default_rng(number)
            ids = stream.integers(0, CLASSES, [2, steps, BATCH])
            results.append(session.run(signal, {inputs: ids[0], labels: ids[1]}))
    return np.array(results)


class SignalBelow(Criterion):
    """At a lag the relative signal of one model is below that of another, or below a number."""

    signal: SignalOf
    against: SignalOf | None = None
    limit: float = Field(default=1.0, gt=0)
    lag: int = Field(ge=2, le=200)
    seeds: int = Field(default=20, ge=3)

    def expectation(self) -> str:
        return f"below {self.limit:g}"

    def decide(self, _runs: StudyRuns, level: float = LEVEL) -> Finding:
        ours = np.log(self.signal.signal(self.lag + 1, self.seeds)[:, -1])
        if self.against is not None:
            ours = ours - np.log(self.against.signal(self.lag + 1, self.seeds)[:, -1])
        estimate = estimates.mean(ours.tolist())
        judgement = as_ratio(verdicts.below(estimate, float(np.log(self.limit)), level))
        what = "ratio of the signals" if self.against else "signal relative to lag 1"
        note = f"{what} at lag {self.lag}, {percent(judgement.confidence)} interval, geometric mean"
        return judged(judgement, self.seeds, note)


class SignalByLag(StudyFigure):
    """A line for each model, geometric mean over seeds, on a logarithmic axis."""

    models: Mapping[str, SignalOf] = Field(min_length=1)
    lags: int = Field(default=60, ge=2, le=200)
    seeds: int = Field(default=20, ge=1)

    def draw(self, title: str, _runs: StudyRuns) -> Figure:
        figure = new_figure(5.0)
        axes = figure.subplots()
        for index, (label, model) in enumerate(self.models.items()):
            signal = model.signal(self.lags + 1, self.seeds)
            mean = np.exp(np.log(signal).mean(axis=0))
            line = "--" if model.part or index >= len(COLORS) else "-"
            color = COLORS[index % len(COLORS)]
            axes.plot(range(1, self.lags + 1), mean, line, color=color, label=label)
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(axes.get_ylim()[0], 1e-16))  # of float64's precision
        draw_title(axes, title)
        axes.set_xlabel("lag k")
        axes.set_ylabel("‖∂L_T/∂h_(T−k)‖ relative to lag 1")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        style_grid(axes)
        return figure
