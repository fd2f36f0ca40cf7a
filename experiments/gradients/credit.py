"""The measured credit matrix of an experiment: credit.csv, credit.png."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.config.schema import Config
from experiments.console import print_json
from experiments.errors import RunError, UsageError
from experiments.reporting.plots import save_picture
from experiments.runs.files import make_output_folder, write_atomic
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import build_credit_graph, definition

RANDOM_ROWS = 1000  # sequences to average a random style over
MOST_STEPS = 2000  # of a graph; each loss takes a session.run
HIGHEST = 2.0  # of the colour scale; the mean of M is at most 1, plus noise


def credit(config: Config, out: Path, as_json: bool = False) -> None:
    """Measure M[t, s] on the experiment's gradient and write it to `out`.

    Raises RunError if an exact style's matrix differs from its definition, and UsageError if
    `out` or the config cannot be used.
    """
    check(config)
    make_output_folder(out, ["credit.csv", "credit.png"])
    measured = measure(config)
    expected = definition(config.truncation, config.graph.num_steps)
    buffer = io.StringIO()
    np.savetxt(buffer, measured, delimiter=",", fmt="%.10g")
    write_atomic(out / "credit.csv", buffer.getvalue())
    files = [str(out / "credit.csv")]
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

    def __str__(self) -> str:
        return (
            f"mean of {self.sequences} sequences; at most {self.gap:.3g} from its expected "
            f"value, {self.back} steps back, where the standard error is {self.standard_error:.3g}"
        )


def summarize(
    config: Config, measured: NDArray[np.float64], expected: NDArray[np.float64]
) -> ExactSummary | RandomSummary:
    """The measured matrix, [losses, steps], against the definition.

    Raises RunError if the matrix of an exact style differs from its definition.
    """
    if config.truncation.style.random:
        gaps = np.abs(measured - expected)
        t, column = np.unravel_index(gaps.argmax(), gaps.shape)
        back = int(t - column) + config.truncation.context_steps
        error = standard_error(config.truncation, back)
        return RandomSummary(RANDOM_ROWS, float(gaps[t, column]), back, error)
    if not np.array_equal(measured, expected):
        raise RunError(f"{config.name}: the measured matrix is not the definition")
    depths = measured.sum(axis=1)
    longest = float(depths.max())
    return ExactSummary(len(depths), longest, int((depths == longest).sum()), float(depths.mean()))


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
    if context + num_steps > MOST_STEPS:
        key = "truncation.depth" if context > num_steps else "graph.num_steps"
        raise UsageError(
            f"{key}: expected a graph of at most {MOST_STEPS} steps to measure, context included; "
            f"got {context + num_steps}"
        )


def standard_error(truncation: TruncationConfig, back: int) -> float:
    """The standard error of the measured mean of M[t, t − back], for a random style."""
    deviation = truncation.style.deviation
    assert deviation is not None
    return float(deviation(truncation, np.array(back)) / np.sqrt(RANDOM_ROWS))


def measure(config: Config) -> NDArray[np.float64]:
    """M[t, s], [num_steps, context + num_steps], one session.run for each row."""
    num_steps = config.graph.num_steps
    rows = RANDOM_ROWS if config.truncation.style.random else 1
    graph = build_credit_graph(config.graph.unroll, config.truncation, num_steps, rows)
    matrix = []
    with tf.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        for t in range(num_steps):
            labels = np.zeros([num_steps, rows], np.int32)
            labels[t] = 1
            matrix.append(session.run(graph.row, {graph.labels: labels, graph.key: [0, t]}))
    return np.array(matrix)


def figure(config: Config, matrix: NDArray[np.float64]) -> Figure:
    """A picture of M: losses from top to bottom, steps from left to right."""
    context = config.truncation.context_steps
    picture = Figure(figsize=(6, 5), layout="constrained")
    axes = picture.subplots()
    rows, columns = matrix.shape
    random = config.truncation.style.random
    image = axes.imshow(
        matrix, cmap="Blues", vmin=0, vmax=HIGHEST if random else 1,
        extent=(-context - 0.5, columns - context - 0.5, rows - 0.5, -0.5),
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if random:
        picture.colorbar(image, extend="max")
    if context:
        axes.axvline(-0.5, color="#D55E00", linewidth=1)
    axes.set_title(f"credit matrix: {describe(config.truncation)}", fontsize=11, loc="left")
    axes.set_xlabel("s: step whose weights get the error (below 0: context)")
    axes.set_ylabel("t: step of the loss")
    return picture


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
