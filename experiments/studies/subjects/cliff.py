"""Walls in the error surface of a network with one unit, and training across them.

x_t = w σ(x_{t−1}) + b, x_0 = 0.5, loss (σ(x_50) − 0.7)². Where the unit changes from one stable
state to two, x_50 jumps, and the surface has a wall. Source: Pascanu, Mikolov & Bengio 2013, "On
the difficulty of training recurrent neural networks", section 2.3 and figure 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from experiments.reporting.claims import Finding
from experiments.reporting.style import COLORS, draw_title, new_figure
from experiments.statistics.parts import Judge
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, StudyFigure
from experiments.studies.findings import HALF, at_least, at_most, exact, of_share
from experiments.studies.runs import StudyRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS, START, TARGET = 50, 0.5, 0.7
W_RANGE, B_RANGE = (3.0, 7.0), (-4.0, -1.0)  # of the picture, and of the starts
RATE, CLIP_NORM, UPDATES = 0.5, 0.1, 400

Array = NDArray[np.float64]
# clipped: the gradient is scaled down to CLIP_NORM. plain: it is applied as it is. computed_only: a
# clipped gradient is computed, and the original one applied.
Training = Literal["clipped", "plain", "computed_only"]


class Surface(NamedTuple):
    """The loss and its gradient."""

    loss: Array
    by_w: Array
    by_b: Array


def surface(w: Array, b: Array) -> Surface:
    """At each (w, b); the gradient by carrying ∂x/∂w and ∂x/∂b forward."""
    x, by_w, by_b = np.full_like(w, START), np.zeros_like(w), np.zeros_like(w)
    for _ in range(STEPS):
        s = _sigmoid(x)
        slope = w * s * (1 - s)
        x, by_w, by_b = w * s + b, s + slope * by_w, 1 + slope * by_b
    s = _sigmoid(x)
    error = 2 * (s - TARGET) * s * (1 - s)
    return Surface((s - TARGET) ** 2, error * by_w, error * by_b)


class Trajectory(NamedTuple):
    """Training from several starts."""

    w: Array  # [updates + 1, starts]
    b: Array
    loss: Array


def train(starts: tuple[Array, Array], training: Training) -> Trajectory:
    """SGD from each start, by a graph in which every start has its own w and b."""
    from rnn_graphs.tf1 import tf

    with tf.Graph().as_default(), tf.Session() as session:
        variables = tf.get_variable("w_b", initializer=np.stack(starts))  # [2, starts]
        x = tf.fill([len(starts[0])], tf.constant(START, tf.float64))
        for _ in range(STEPS):
            x = variables[0] * tf.sigmoid(x) + variables[1]
        loss = tf.square(tf.sigmoid(x) - TARGET)
        (gradient,) = tf.gradients(loss, [variables])
        computed, applied = [loss], gradient
        if training != "plain":
            clipped = tf.clip_by_norm(gradient, CLIP_NORM, axes=[0])
            computed.append(clipped)
            applied = clipped if training == "clipped" else gradient
        with tf.control_dependencies(computed):
            update = tf.train.GradientDescentOptimizer(RATE).apply_gradients([(applied, variables)])
        session.run(tf.global_variables_initializer())
        places, losses = [session.run(variables)], []
        for _ in range(UPDATES):
            losses.append(session.run([loss, update])[0])
            places.append(session.run(variables))
        losses.append(session.run(loss))
    return Trajectory(np.array(places)[:, 0], np.array(places)[:, 1], np.array(losses))


def random_starts(seed: int, count: int) -> tuple[Array, Array]:
    """Uniform over the picture."""
    stream = np.random.default_rng(seed)
    return stream.uniform(*W_RANGE, count), stream.uniform(*B_RANGE, count)


class WallHeight(Criterion):
    """The largest gradient of the surface is at least `times` the median one, on a fine grid."""

    times: float = Field(gt=1)
    points: int = Field(default=800, ge=10)

    def expectation(self) -> str:
        return f"at least {self.times:g}"

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        _, by_w, by_b = surface(*_grid(self.points))
        norms = np.hypot(by_w, by_b)
        ratio = float(norms.max() / np.median(norms))
        note = f"largest gradient norm {norms.max():.3g}, median {np.median(norms):.3g}"
        return exact(ratio, ratio >= self.times, f"{note}, {self.points}² points")


class Thrown(Criterion):
    """Training leaves the picture by more than its own size in some starts, or in none."""

    training: Training
    seed: int
    starts: int = Field(ge=10)
    some: bool

    def expectation(self) -> str:
        return "in some starts" if self.some else "in no start"

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        path = train(random_starts(self.seed, self.starts), self.training)
        count = int(thrown(path).sum())
        note = (
            f"starts of {self.starts} thrown further than the picture is wide, in {UPDATES} updates"
        )
        return exact(f"{count} of {self.starts}", (count > 0) == self.some, note, self.starts)


class SolvesMost(Criterion):
    """Training ends below `loss` in at least half of the starts."""

    training: Training
    seed: int
    starts: int = Field(ge=10)
    loss: float = Field(gt=0)

    def expectation(self) -> str:
        return f"below {self.loss:g} in ≥ {HALF:g} of starts"

    def decide(self, _runs: StudyRuns, level: float = LEVEL) -> Finding:
        path = train(random_starts(self.seed, self.starts), self.training)
        count = int((path.loss[-1] < self.loss).sum())
        note = f"starts whose loss ends below {self.loss:g}"
        return of_share(count, self.starts, self._judge(count)(level), note)

    def _judge(self, count: int) -> Judge:
        return at_least(count, self.starts, HALF)


class SolvesFew(SolvesMost):
    """Training ends below `loss` in at most half of the starts."""

    def expectation(self) -> str:
        return f"below {self.loss:g} in ≤ {HALF:g} of starts"

    def _judge(self, count: int) -> Judge:
        return at_most(count, self.starts, HALF)


class SamePath(Criterion):
    """Two ways of training take every start through the same places."""

    first: Training
    second: Training
    seed: int
    starts: int = Field(ge=10)

    def expectation(self) -> str:
        return "0 apart"

    def decide(self, _runs: StudyRuns, _level: float = LEVEL) -> Finding:
        starts = random_starts(self.seed, self.starts)
        one, other = (train(starts, training) for training in (self.first, self.second))
        gap = float(max(abs(one.w - other.w).max(), abs(one.b - other.b).max()))
        note = f"largest distance of w or b, {self.first} and {self.second}"
        return exact(gap, gap == 0, note, self.starts)


class ErrorSurface(StudyFigure):
    """The surface as colours, with the path of each kind of training from one start."""

    labels: dict[Training, str] = Field(min_length=1)
    w: float
    b: float

    def draw(self, title: str, _runs: StudyRuns) -> Figure:
        figure = new_figure(5.5)
        axes = figure.subplots()
        w, b = _grid(400)
        image = axes.pcolormesh(w, b, surface(w, b).loss, cmap="viridis", rasterized=True)
        figure.colorbar(image, ax=axes, label="loss, (σ(x_50) − 0.7)²")
        for index, (training, label) in enumerate(self.labels.items()):
            path = train((np.array([self.w]), np.array([self.b])), training)
            _draw_path(axes, path, label, COLORS[index + 1])
        axes.set(xlim=W_RANGE, ylim=B_RANGE, xlabel="w", ylabel="b")
        draw_title(axes, title)
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
        return figure


def thrown(path: Trajectory) -> NDArray[np.bool_]:
    """Whether each start leaves the picture by more than the picture's own size, [starts]."""
    far = np.zeros(path.w.shape[1], bool)
    for place, (low, high) in ((path.w, W_RANGE), (path.b, B_RANGE)):
        size = high - low
        far |= ((place < low - size) | (place > high + size)).any(axis=0)
    return far


def _draw_path(axes: Axes, path: Trajectory, label: str, color: str) -> None:
    steps = np.hypot(np.diff(path.w[:, 0]), np.diff(path.b[:, 0]))
    text = f"{label}: longest step {steps.max():.3g}, ends at {path.loss[-1, 0]:.3g}"
    axes.plot(
        path.w[:, 0], path.b[:, 0], ".-", color=color, markersize=3, linewidth=0.9, label=text
    )
    axes.plot(path.w[0, 0], path.b[0, 0], "o", color="white", markeredgecolor="black")


def _grid(points: int) -> tuple[Array, Array]:
    w, b = np.meshgrid(np.linspace(*W_RANGE, points), np.linspace(*B_RANGE, points))
    return w, b


def _sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return result
