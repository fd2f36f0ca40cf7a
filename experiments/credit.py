"""The measured credit matrix of an experiment: credit.csv, credit.png."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.config import Config
from experiments.errors import RunError, UsageError
from experiments.files import make_output_folder, write_atomic
from experiments.plots import save_figure
from rnn_graphs.config import TruncationConfig
from rnn_graphs.credit import build_credit_graph, definition
from rnn_graphs.tf1 import tf

RANDOM_ROWS = 1000  # sequences that a random style is averaged over


def credit(config: Config, out: Path) -> None:
    """Measure M[t, s] on the experiment's gradient and write it to `out`.

    Raises RunError where an exact style's matrix is not its definition, UsageError where
    `out` cannot be used or the model is bidirectional.
    """
    if config.model.bidirectional:
        raise UsageError(
            "model.bidirectional: its errors come from both sides, and reach every step; "
            "expected false"
        )
    make_output_folder(out)
    measured = measure(config)
    expected = definition(config.truncation, config.graph.num_steps)
    buffer = io.StringIO()
    np.savetxt(buffer, measured, delimiter=",", fmt="%.10g")
    write_atomic(out / "credit.csv", buffer.getvalue())
    save_figure(figure(config, measured), out / "credit.png")
    print(f"{config.name}: {describe(config.truncation)}, unroll {config.graph.unroll}")
    if config.truncation.kind == "artbp":
        gap = float(np.abs(measured - expected).max())
        print(f"mean of {RANDOM_ROWS} sequences; at most {gap:.3g} from full, its mean")
    elif np.array_equal(measured, expected):
        reach = measured.sum(axis=1)
        full = int((reach == reach.max()).sum())
        print("measured on the gradient, and equal to the definition")
        counts = f"{full} of {len(reach)} errors reach {reach.max():g} steps"
        print(f"{counts}; the mean is {reach.mean():g}")
    else:
        raise RunError(f"{out / 'credit.csv'}: the measured matrix is not the definition")
    print(f"written: {out / 'credit.csv'}, {out / 'credit.png'}")


def measure(config: Config) -> NDArray[np.float64]:
    """M[t, s], [num_steps, context + num_steps], a row a session.run."""
    num_steps = config.graph.num_steps
    rows = RANDOM_ROWS if config.truncation.kind == "artbp" else 1
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
    """M as a picture: losses downwards, the steps they reach from left to right."""
    context = config.truncation.context_steps
    picture = Figure(figsize=(6, 5), layout="constrained")
    axes = picture.subplots()
    rows, columns = matrix.shape
    image = axes.imshow(
        matrix, cmap="Blues", vmin=0, vmax=max(1.0, matrix.max()),
        extent=(-context - 0.5, columns - context - 0.5, rows - 0.5, -0.5),
    )  # fmt: skip
    if config.truncation.kind == "artbp":
        picture.colorbar(image)
    if context:
        axes.axvline(-0.5, color="#D55E00", linewidth=1)
    axes.set_title(f"credit matrix: {describe(config.truncation)}", fontsize=11, loc="left")
    axes.set_xlabel("s: step whose weights get the error (below 0: context)")
    axes.set_ylabel("t: step of the loss")
    return picture


def describe(truncation: TruncationConfig) -> str:
    """The style in words: its kind with the numbers it uses."""
    values = truncation.model_dump(exclude_none=True, exclude_defaults=True)
    kind = values.pop("kind")
    numbers = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
    )
    return f"{kind} ({numbers})" if numbers else str(kind)
