"""The measured credit matrix of an experiment: credit.csv, credit.png."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.config.schema import Config
from experiments.console import print_json
from experiments.errors import RunError, UsageError
from experiments.reporting.pictures import save_picture
from experiments.reporting.style import draw_title
from experiments.runs.files import make_output_folder, write_atomic
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import build_credit_graph, definition

RANDOM_ROWS = 40  # sequences of a random style at a time
DRAWS = 25  # of so many
SEQUENCES = RANDOM_ROWS * DRAWS
MOST_STEPS = 2000  # of a graph; each loss takes a session.run
HIGHEST = 2.0  # of the color scale; the mean of M is at most 1, plus noise


def credit(config: Config, out: Path, as_json: bool = False) -> None:
    """Measure M[t, s] on the experiment's gradient and write it to `out`.

    Raises RunError if an exact style's matrix differs from its definition, and UsageError if
    `out` or the config cannot be used.
    """
    check(config)
    random = config.truncation.style.random
    names = ["credit.csv", *(["spread.csv"] if random else []), "credit.png"]
    make_output_folder(out, names)
    measured = measure(config)
    expected = definition(config.truncation, config.graph.num_steps)
    _write(out / "credit.csv", measured.mean)
    if random:
        _write(out / "spread.csv", measured.spread)
    files = [str(out / name) for name in names[:-1]]
    if save_picture(lambda: figure(config, measured), out / "credit.png"):
        files.append(str(out / "credit.png"))
    summary = summarize(config, measured, expected)
    if as_json:
        print_json(
            {
                "experiment": config.name, "truncation": describe(config.truncation),
                "unroll": config.graph.unroll, **summary._asdict(), "files": files,
            }
        )  # fmt: skip
        return
    print(f"{config.name}: {describe(config.truncation)}, unroll {config.graph.unroll}")
    print(summary)
    print(f"written: {', '.join(files)}")


def _write(path: Path, matrix: NDArray[np.float64]) -> None:
    buffer = io.StringIO()
    np.savetxt(buffer, matrix, delimiter=",", fmt="%.10g")
    write_atomic(path, buffer.getvalue())


class MeasuredCredit(NamedTuple):
    """M[t, s] as measured, [losses, steps]."""

    mean: NDArray[np.float64]  # over the sequences; of an exact style, M itself
    spread: NDArray[np.float64]  # the standard deviation between sequences; zeros if M is exact


class ExactSummary(NamedTuple):
    """The summary of a measured matrix that equals its definition."""

    errors: int
    longest: float  # steps that the farthest error reaches
    reaching: int  # errors that reach that far
    mean: float  # steps an error reaches

    def __str__(self) -> str:
        return (
            "measured on the gradient, and equal to the definition\n"
            f"{self.reaching} of {self.errors} errors reach {self.longest:g} steps; "
            f"the mean is {self.mean:g}"
        )


class RandomSummary(NamedTuple):
    """The largest gap between the mean of a random style's matrices and its expected value."""

    sequences: int
    gap: float
    back: int  # steps
    standard_error: float
    spread: float  # the largest standard deviation of an entry between sequences

    def __str__(self) -> str:
        return (
            f"mean of {self.sequences} sequences; at most {self.gap:.3g} from its expected "
            f"value, {self.back} steps back, where the standard error is "
            f"{self.standard_error:.3g}; the spread of one sequence is at most {self.spread:.3g}"
        )


def summarize(
    config: Config, measured: MeasuredCredit, expected: NDArray[np.float64]
) -> ExactSummary | RandomSummary:
    """The measured matrix against the definition.

    Raises RunError if the matrix of an exact style differs from its definition.
    """
    if config.truncation.style.random:
        gaps = np.abs(measured.mean - expected)
        t, column = np.unravel_index(gaps.argmax(), gaps.shape)
        back = int(t - column) + config.truncation.steps_before(config.graph.num_steps)
        error = standard_error(config.truncation, back, float(measured.spread[t, column]))
        return RandomSummary(
            SEQUENCES, float(gaps[t, column]), back, error, float(measured.spread.max())
        )
    if not np.allclose(measured.mean, expected, rtol=1e-12, atol=0):
        raise RunError(f"{config.name}: the measured matrix is not the definition")
    depths = measured.mean.sum(axis=1)
    longest = float(depths.max())
    reaching = int(np.isclose(depths, longest).sum())
    return ExactSummary(len(depths), longest, reaching, float(depths.mean()))


def check(config: Config) -> None:
    """Raise UsageError if training would refuse the config, or if the graph is too large."""
    if config.model.bidirectional:
        raise UsageError(
            "model.bidirectional: its errors come from both sides, and reach every step; "
            "expected false"
        )
    context, num_steps = config.truncation.context_steps, config.graph.num_steps
    if context:
        make_workload(config)  # checks that the data have enough steps before a window
    steps = config.truncation.steps_before(num_steps) + num_steps
    if steps > MOST_STEPS:
        key = "truncation.depth" if context > num_steps else "graph.num_steps"
        what = "earlier windows" if config.truncation.carries else "context"
        raise UsageError(
            f"{key}: expected a graph of at most {MOST_STEPS} steps to measure, {what} included; "
            f"got {steps}"
        )


def standard_error(truncation: TruncationConfig, back: int, spread: float) -> float:
    """The standard error of the measured mean of M[t, t − back], for a random style.

    By its definition if that says how far M varies, else by the measured spread.
    """
    deviation = truncation.style.deviation
    varies = spread if deviation is None else float(deviation(truncation, np.array(back)))
    return float(varies / np.sqrt(SEQUENCES))


def measure(config: Config) -> MeasuredCredit:
    """M[t, s], [num_steps, steps before + num_steps], one session.run for each row and draw."""
    num_steps, random = config.graph.num_steps, config.truncation.style.random
    rows, draws = (RANDOM_ROWS, DRAWS) if random else (1, 1)
    graph = build_credit_graph(config.graph.unroll, config.truncation, num_steps, rows)
    with tf.Session(graph=graph.graph) as session:
        session.run(graph.initialize)

        def row(t: int, draw: int) -> NDArray[np.float64]:
            labels = np.zeros([num_steps, rows], np.int32)
            labels[t] = 1
            found = session.run(graph.row, {graph.labels: labels, graph.key: [t, draw << 16]})
            return np.asarray(found, np.float64)

        found = np.array([[row(t, draw) for t in range(num_steps)] for draw in range(draws)])
    # The variance between means of `rows` sequences, as that of one sequence.
    spread = np.std(found, 0, ddof=1) * np.sqrt(rows) if random else np.zeros_like(found[0])
    return MeasuredCredit(found.mean(0), spread)


def figure(config: Config, measured: MeasuredCredit) -> Figure:
    """Pictures of M, and of its spread if it is random: losses down, steps to the right."""
    random = config.truncation.style.random
    matrices = {"credit matrix": measured.mean}
    if random:
        matrices = {"mean credit": measured.mean, "spread of one sequence": measured.spread}
    rows, columns = measured.mean.shape
    height = min(5.0, 1.5 + 5.5 * rows / columns)
    picture = Figure(figsize=(6 * len(matrices), height), layout="constrained")
    for axes, (title, matrix) in zip(
        picture.subplots(1, len(matrices), squeeze=False)[0], matrices.items(), strict=True
    ):
        _draw(config, axes, f"{title}: {describe(config.truncation)}", matrix)
        if random:
            picture.colorbar(axes.images[0], extend="max")
    return picture


def _draw(config: Config, axes: Axes, title: str, matrix: NDArray[np.float64]) -> None:
    truncation, (rows, columns) = config.truncation, matrix.shape
    before = truncation.steps_before(config.graph.num_steps)
    axes.imshow(
        matrix, cmap="Blues", vmin=0, vmax=HIGHEST if truncation.style.random else 1,
        extent=(-before - 0.5, columns - before - 0.5, rows - 0.5, -0.5),
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if before:
        axes.axvline(-0.5, color="#D55E00", linewidth=1)
    draw_title(axes, title)
    meaning = "earlier windows" if truncation.carries else "context"
    axes.set_xlabel(f"s: step whose weights get the error (below 0: {meaning})")
    axes.set_ylabel("t: step of the loss")


def describe(truncation: TruncationConfig) -> str:
    """The style in words: its kind and its parameters."""
    values = truncation.model_dump(exclude_none=True, exclude_defaults=True)
    kind = values.pop("kind")
    numbers = ", ".join(
        f"{key} {_short(value)}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
    )
    return f"{kind} ({numbers})" if numbers else str(kind)


def _short(chance: float) -> str:
    """A probability with a few digits; one below 1 is never rounded to 1."""
    text = f"{chance:.3g}"
    return text if float(text) < 1 else str(chance)
