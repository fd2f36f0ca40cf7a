"""Influence balancing: each style's gradient, measured and by algebra; claims and figures on it.

At a settled state every loss has the same error s_1 − 1, and the gradient for θ is that error
times the influence that the style sees, the mean over losses t of

    Σ_s M[t,s] · e_1ᵀ A^{t−s} b

with the credit matrix M. The whole sum is −6; its first terms are positive.
Source: Tallec & Ollivier 2017, "Unbiasing Truncated Backpropagation Through Time", section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.plots import (
    COLORS,
    Series,
    draw_curve,
    new_figure,
    style_axes,
    style_grid,
)
from experiments.runs import checkpoints
from experiments.runs.run import Run
from experiments.statistics import equivalence, estimates
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import parts_of
from experiments.studies.entries import Criterion, Planned, StudyFigure
from experiments.studies.findings import HALF, at_least, exact, judged, of_share, percent
from experiments.studies.runs import RunName, StudyRuns
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.truncation.styles import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

StyleName = Literal["bptt", "tf_style", "williams_peng"]
UNITS = 23
THETA = 0.5  # where training starts
OPTIMUM = -1 / 6  # of θ: its influence in the long run is −6, and s_1 is to be 1
ROWS = 4000  # of random gates at a time
DRAWS = 40  # of ROWS each
ROUNDING = 1e-9  # of a gradient in float64


class Style(NamedTuple):
    """A truncation, and the window that it is measured on."""

    truncation: TruncationConfig
    num_steps: int


def style(name: StyleName, depth: int) -> Style:
    """The style of a name at a depth: bptt is BPTT(depth; 1), for one loss of full depth.

    tf_style: a window of depth steps. williams_peng: BPTT(2·depth − 1; depth), which takes
    each error back by depth at least.
    """
    match name:
        case "bptt":
            return Style(TruncationConfig(kind="true_bptt", depth=depth, context=True), 1)
        case "tf_style":
            return Style(TruncationConfig(kind="tf_style"), depth)
        case "williams_peng":
            kind = TruncationConfig(
                kind="williams_peng", depth=2 * depth - 1, stride=depth, context=True
            )
            return Style(kind, depth)


def exact_influence(name: StyleName, depths: Sequence[int]) -> NDArray[np.float64]:
    """The influence that the style sees at each depth, by algebra: [depths]."""
    by_depth = np.cumsum(
        influences_by_lag(2 * max(depths))
    )  # of an error that goes back 1, 2, … applications
    losses = {
        "bptt": [slice(depth - 1, depth) for depth in depths],
        "tf_style": [slice(0, depth) for depth in depths],
        "williams_peng": [slice(depth - 1, 2 * depth - 1) for depth in depths],
    }
    return np.array([by_depth[each].mean() for each in losses[name]])


def influences_by_lag(count: int) -> NDArray[np.float64]:
    """e_1ᵀ A^j b for j = 0 … count − 1."""
    A, b = _system()
    found = []
    for _ in range(count):
        found.append(b[0])
        b = A @ b
    return np.array(found)


def measured_influence(chosen: Style, batch_size: int = 1, key: int = 0) -> float:
    """The influence that the production gradient of a style shows, at the settled state."""
    from rnn_graphs.model import Model, TaskShape  # TensorFlow takes seconds to import
    from rnn_graphs.tf1 import tf
    from rnn_graphs.truncation.step import Window, make_step

    settled = _settled_state(THETA)
    length = chosen.truncation.context_steps + chosen.num_steps
    with tf.Graph().as_default(), tf.Session() as session:
        config = ModelConfig(cell="influence_balancing", state_size=UNITS)
        model = Model(config, TaskShape(1, 1, labels="values"), tf.float64)
        window = Window(
            tf.zeros([length, batch_size], tf.int32),
            tf.ones([chosen.num_steps, batch_size], tf.float64),
            tf.constant(np.tile(settled, (batch_size, 1))),
            tf.constant([key, 0]),
        )
        step = make_step(model, model.unrolls["dynamic"], chosen.truncation)(window)
        session.run(tf.global_variables_initializer())
        gradient = float(session.run(step.gradients[0]))
    return gradient / float(settled[0] - 1)


def _system() -> tuple[NDArray[np.float64], NDArray[Any]]:
    """A [n, n] and b [n] of the task, written down once more, apart from the cell's own."""
    A = 0.5 * (np.eye(UNITS) + np.eye(UNITS, k=1))
    return A, np.array([1.0] * 10 + [-1.0] * (UNITS - 10))


def _settled_state(theta: float) -> NDArray[np.float64]:
    A, b = _system()
    return np.asarray(np.linalg.solve(np.eye(UNITS) - A, theta * b), np.float64)


class LongRun(Criterion):
    """The influence of θ in the long run, by the gradient of one loss at a great depth."""

    depth: int = Field(ge=1)
    expected: float

    def expectation(self) -> float:
        return self.expected

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        found = measured_influence(style("bptt", self.depth))
        note = f"gradient of BPTT({self.depth}; 1) / (s_1 − 1)"
        return exact(found, abs(found - self.expected) < ROUNDING, note)


class Turns(Criterion):
    """A style has the wrong sign at one depth and the right one at another, as algebra says."""

    style: StyleName
    wrong: int = Field(ge=1)
    right: int = Field(ge=1)

    def expectation(self) -> str:
        return f"wrong at {self.wrong}, right at {self.right}"

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        depths = (self.wrong, self.right)
        found = np.array([measured_influence(style(self.style, depth)) for depth in depths])
        by_algebra = exact_influence(self.style, depths)
        agrees = bool(np.allclose(found, by_algebra, rtol=0, atol=ROUNDING))
        text = f"{found[0]:+.4f} at {self.wrong}, {found[1]:+.4f} at {self.right}"
        note = f"influence seen; by algebra {by_algebra[0]:+.6f} and {by_algebra[1]:+.6f}"
        return exact(text, bool(found[0] > 0 > found[1]) and agrees, note)


class Unbiased(Criterion):
    """The mean of ARTBP over random cuts equals the window's full gradient, within a margin.

    The margin is a share of the full gradient.
    """

    cut_probability: float = Field(gt=0, lt=1)
    num_steps: int = Field(ge=1)
    margin: float = Field(default=0.1, gt=0, lt=1)

    def expectation(self) -> str:
        return f"the full gradient ± {percent(self.margin)}"

    def decide(self, _runs: StudyRuns, level: float = LEVEL) -> Finding:
        artbp = TruncationConfig(kind="artbp", cut_probability=self.cut_probability)
        chosen = Style(artbp, self.num_steps)
        draws = [measured_influence(chosen, ROWS, key) for key in range(DRAWS)]
        full = measured_influence(Style(TruncationConfig(kind="full"), self.num_steps))
        return self.judge(draws, full, level)

    def judge(self, draws: Sequence[float], full: float, level: float = LEVEL) -> Finding:
        """The finding of the means of DRAWS times ROWS cuts against the full gradient."""
        margin = self.margin * abs(full)
        judgement = equivalence.within(estimates.mean(draws), margin, full, level)
        note = (
            f"mean of {ROWS * DRAWS} draws, {percent(judgement.confidence)} interval; the full "
            f"gradient is {full:.4f}, its margin {margin:.4f}"
        )
        return judged(judgement, 0, note)


class EndsAtOptimum(Criterion):
    """Training brings θ within `tolerance` of its optimum, in at least half of the seeds."""

    run: RunName
    expected: float
    tolerance: float = Field(gt=0)

    def expectation(self) -> float:
        return self.expected

    def check(self, planned: Planned) -> None:
        need_theta(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        thetas = final_thetas(runs[self.run])
        count = sum(abs(theta - self.expected) <= self.tolerance for theta in thetas)
        note = f"seeds whose θ ends within {self.tolerance:g} of its optimum"
        return _finding(runs[self.run], thetas, count, note, level)


class MovesAway(Criterion):
    """Training takes θ further from its optimum than it began, in at least half of the seeds."""

    run: RunName

    def expectation(self) -> str:
        return f"further from −1/6 than {THETA:g} is"

    def check(self, planned: Planned) -> None:
        need_theta(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        thetas = final_thetas(runs[self.run])
        count = sum(abs(theta - OPTIMUM) > abs(THETA - OPTIMUM) for theta in thetas)
        note = f"seeds whose θ ends further away than it began, at {THETA}"
        return _finding(runs[self.run], thetas, count, note, level)


def _finding(run: Run, thetas: Sequence[float], count: int, note: str, level: float) -> Finding:
    """The finding of a run in which θ ends as claimed in `count` of the seeds.

    Without random gates every seed is the same, and one decides.
    """
    seeds, mean = len(thetas), float(np.mean(thetas))
    note += f"; θ after training: mean {mean:.6g}, {min(thetas):.6g} to {max(thetas):.6g}"
    if not STYLES[run.config.truncation.kind].random:
        return exact(mean, count == seeds, note, seeds)
    return of_share(count, seeds, at_least(count, seeds, HALF)(level), note)


def need_theta(name: RunName, planned: Planned) -> None:
    """See that a run trains θ. Raises ValueError."""
    kind = planned[name].config.task.kind
    if kind != "influence_balancing":
        raise ValueError(f"run {name}: expected task influence_balancing; got {kind}")


def final_thetas(run: Run) -> list[float]:
    """θ of each seed's last checkpoint. Raises NotRun where no seed has one."""
    thetas = []
    for part in parts_of(run):
        for seed in part.config.seeds:
            checkpoint = checkpoints.newest(part.directory.checkpoints, seed).checkpoint
            if checkpoint is not None:
                (theta,) = (v for k, v in checkpoint.variables.items() if k.endswith("/theta"))
                thetas.append(float(theta))
    if not thetas:
        raise NotRun(f"run {run.label}: no checkpoint")
    return thetas


class InfluenceByDepth(StudyFigure):
    """A line for each style by algebra, dots where the production gradient was measured."""

    styles: dict[StyleName, str] = Field(min_length=1)
    depths: tuple[int, ...] = Field(min_length=1)

    def draw(self, title: str, _runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        everywhere = range(1, max(self.depths) + 1)
        for index, (name, label) in enumerate(self.styles.items()):
            color = COLORS[index % len(COLORS)]
            measured = [measured_influence(style(name, depth)) for depth in self.depths]
            axes.plot(everywhere, exact_influence(name, everywhere), color=color, label=label)
            axes.plot(self.depths, measured, "o", color=color, markersize=4.5)
        axes.axhline(0, color="#000000", linewidth=0.8)
        axes.axhline(1 / OPTIMUM, color="#666666", linestyle="--", linewidth=1)
        axes.set_title(title, fontsize=11, loc="left")
        axes.set_xlabel("depth k")
        axes.set_ylabel("influence seen\n(above zero: the wrong sign)")
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
        style_grid(axes)
        return figure


class LossesOnALogScale(StudyFigure):
    """Learning curves of losses that span many powers of ten."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure(5.5)
        axes = figure.subplots()
        for index, (name, label) in enumerate(self.labels.items()):
            run = Series(label, runs[name].curves)
            draw_curve(axes, run.curves, run.label, COLORS[index % len(COLORS)])
        axes.set_yscale("log")
        axes.set_ylim(bottom=1e-9)  # below this is rounding
        style_axes(axes, title)
        axes.set_ylabel("loss, ½ (s_1 − 1)²")
        axes.set_xlabel("updates")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        return figure
